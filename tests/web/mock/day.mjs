// What happened on the mock server's days: patrols with gaps and stops,
// incidents with photos, workers with something left to send.
import { drawPhoto } from './photo.mjs'
import { chance } from './random.mjs'
import { metres, place, readWalks } from './walks.mjs'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const OFFSET_MIN = 480

const NAMES =
  '王建国 李秀兰 张伟 刘桂英 陈志强 杨玉梅 赵立军 黄凤霞 周海涛 吴淑珍 徐明 孙爱华 马超 朱丽 胡晓东 郭玉兰 何勇 高翠萍 林峰 罗敏'.split(
    ' ',
  )
const CAUSES = ['paused', 'no_signal', 'app_killed', 'battery_low', 'location_off', 'phone_off']

/** @type {[category: string, title: string, description: string][]} */
const FINDINGS = [
  ['hygiene', '楼道堆放杂物', '三单元一楼楼道堆放旧家具，已通知住户三日内清走。'],
  ['fire_safety', '电动车进楼充电', '两辆电动车从窗口拉线充电，存在火灾隐患。'],
  ['public_order', '小区门禁损坏', '东门门禁失灵，外来人员可随意进出。'],
  ['family_dispute', '婆媳因带孩子争吵', '到场劝解，双方情绪已平复，约定周五再谈。'],
  ['hygiene', '垃圾桶满溢', '农贸市场北口垃圾桶满溢，有异味。'],
  ['fire_safety', '消防通道被占', '私家车停在消防通道上，已电话联系车主。'],
  ['other', '路灯不亮', '村东主路第 4、5 盏路灯不亮。'],
  ['public_order', '广场噪声扰民', '晚间音响过大，已劝说调低音量。'],
]

const ABOVE = { id: 'above', code: '371302003', name: '金雀山街道' }
const PLAIN_STEP = { with: {}, holder: null, assignee: null, photos: [] }
const text = (/** @type {string} */ zh, /** @type {string} */ en) => ({ zh, en })
const ANSWERS = [
  {
    question: text('场所类型', 'Kind of premises'),
    kind: 'choice',
    value: 'dwelling',
    choices: [text('居民住宅', 'Dwelling')],
    unit: null,
    photos: [],
  },
  {
    question: text('车辆数', 'How many'),
    kind: 'number',
    value: 2,
    choices: [],
    unit: text('辆', 'bikes'),
    photos: [],
  },
]

/** @param {string} date */
const startOf = (date) => Date.parse(`${date}T00:00:00Z`) - OFFSET_MIN * MINUTE

/**
 * One day. `now` cuts off what has not happened yet.
 * @param {import('./grids.mjs').Grids} grids
 * @param {{date: string, now: number, patrols: number, seed: number, photos: Map<string, Buffer>}} options
 */
export function makeDay(grids, { date, now, patrols: count, seed, photos }) {
  const random = chance(seed)
  const walks = readWalks()
  // Few patrols stand in neighbouring communities, many all over the district.
  const base = grids.all.filter(({ grid }) => grid.level === 'base').map(({ grid }) => grid)
  const home = grids.byCode('371302003')?.grid.id ?? grids.root.id
  const near = grids
    .below(home)
    .map(({ grid }) => grid)
    .filter(({ level }) => level === 'base')
  const centre = grids.centre(home)
  near.sort((a, b) => metres(centre, grids.centre(a.id)) - metres(centre, grids.centre(b.id)))
  const places = count > 40 ? base : near

  /** @type {any[]} */
  const details = []
  /** @type {any[]} */
  const incidents = []
  for (let i = 0; i < count; i++) {
    const grid = places[i % places.length]
    const name = NAMES[i % NAMES.length] + (i >= NAMES.length ? Math.floor(i / NAMES.length) : '')
    const worker = { id: chance(9000 + i).id(), name }
    const ref = { id: grid.id, code: grid.code, name: grid.name }
    const start = startOf(date) + 7.4 * HOUR + random.between(0, 2.2 * HOUR)
    const detail = makePatrol(random, {
      walk: walks[i % walks.length],
      centre: grids.centre(grid.id),
      start,
      now,
      worker,
      grid: ref,
      gaps: i % 3 === 0 ? 2 : i % 3 === 1 ? 1 : 0,
    })
    if (!detail) continue
    details.push(detail)
    if (count > 40 ? i % 40 === 0 : i % 2 === 0) {
      const incident = makeIncident(random, detail, incidents.length, photos)
      incidents.push(incident)
      detail.incidents.push(incident.incident)
    }
  }
  linkDuplicates(incidents)
  return { details, incidents, records: makeRecords(random, details, incidents) }
}

/**
 * @param {import('./random.mjs').Chance} random
 * @param {any} options
 */
function makePatrol(random, { walk, centre, start, now, worker, grid, gaps: gapCount }) {
  const steps = place(walk, centre, random.between(230, 330), random.between(0, 6.28))
  const id = random.id()
  // At these steps the clock jumps: standing still, or with no position at all.
  const stopAt = [Math.floor(steps.length * 0.22), Math.floor(steps.length * 0.71)]
  const gapAt = [0.45, 0.84].slice(0, gapCount).map((share) => Math.floor(steps.length * share))
  /** @type {{points: number[][]}[]} */
  const segments = [{ points: [] }]
  /** @type {any[]} */
  const gaps = []
  /** @type {any[]} */
  const stops = []
  let [added, distance, skipTo] = [0, 0, -1]
  for (let i = 0; i < steps.length; i++) {
    const t = Math.round(start + (steps[i].s + added) * 1000)
    if (t > now) break
    if (i < skipTo) continue
    const points = segments[segments.length - 1].points
    points.push([...steps[i].at, t])
    if (points.length > 1) distance += metres(steps[i - 1].at, steps[i].at)
    if (stopAt.includes(i)) {
      const length = random.pick([170, 420, 760, 1500])
      stops.push({ from_ms: t, to_ms: t + length * 1000, at: steps[i].at })
      added += length
      points.push([...steps[i].at, t + length * 1000])
    }
    if (gapAt.includes(i) && i + 14 < steps.length) {
      const length = random.between(200, 1300)
      skipTo = i + 12
      const resumed = Math.round(start + (steps[skipTo].s + added + length) * 1000)
      const cause = random.pick(CAUSES)
      gaps.push({ from_ms: t, to_ms: resumed, cause, from: steps[i].at, to: steps[skipTo].at })
      added += length
      segments.push({ points: [] })
    }
  }
  const kept = segments.filter(({ points }) => points.length > 0)
  if (kept.length === 0) return null
  const last = kept[kept.length - 1].points
  const end = last[last.length - 1][2]
  const finished = end < now - 2 * MINUTE
  const flat = kept.flatMap(({ points }) => points)
  const lons = flat.map(([lon]) => lon)
  const lats = flat.map(([, lat]) => lat)
  const gapS = gaps.reduce((sum, gap) => sum + (gap.to_ms - gap.from_ms) / 1000, 0)
  const stopS = stops.reduce((sum, stop) => sum + (stop.to_ms - stop.from_ms) / 1000, 0)
  return {
    patrol: {
      id,
      worker,
      grid,
      status: finished ? 'finished' : random.next() < 0.3 ? 'paused' : 'active',
      started_ms: Math.round(start),
      ended_ms: finished ? end : null,
      distance_m: Math.round(distance * 10) / 10,
      moving_s: Math.max(0, Math.round((end - start) / 1000 - gapS - stopS)),
      fixes: Math.round((end - start) / 1000 - gapS),
      gaps: gaps.length,
      gap_s: Math.round(gapS),
      bbox: [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)],
    },
    tolerance_m: 5,
    segments: kept,
    gaps,
    stops,
    /** @type {any[]} */
    incidents: [],
    coverage: makeCoverage(random, { id, grid, segments: kept, gaps, finished }),
  }
}

/** @type {[name: string, sort: string, every: string][]} */
const SITES = [
  ['农贸市场', 'market', 'patrol'],
  ['中心小学', 'school', 'patrol'],
  ['粮油仓库', 'warehouse', 'patrol'],
  ['独居老人家', 'elder', 'week'],
]

/**
 * Sites along the way and beside it: passed, checked in at, missed with a reason.
 * @param {import('./random.mjs').Chance} random @param {any} patrol
 */
function makeCoverage(random, { id, grid, segments, gaps, finished }) {
  const points = segments.flatMap((/** @type {any} */ { points }) => points)
  const at = (/** @type {number} */ share) => points[Math.floor((points.length - 1) * share)]
  const sites = SITES.map(([name, sort, every], i) => {
    const [lon, lat] = at([0.2, 0.6, 0.9, 0.4][i])
    // The third lies away from the way.
    const off = i === 2 ? 0.004 : 0
    return {
      id: random.id(),
      name,
      sort,
      grid,
      at: [lon + off, lat + off],
      radius_m: 40,
      every,
      times: 1,
    }
  })
  const route = { at_ms: at(0.2)[2], patrol: id, by: 'route', away_m: 4 }
  const hand = { at_ms: at(0.6)[2], patrol: id, by: 'hand', away_m: 12 }
  const missed = gaps.length
    ? { why: 'gap', cause: gaps[0].cause }
    : { why: 'not_near', closest_m: 430 }
  const unit = (
    /** @type {number} */ i,
    /** @type {any[]} */ visits,
    /** @type {any} */ reason,
  ) => ({
    site: sites[i].id,
    period: sites[i].every,
    patrol: id,
    times: 1,
    met: !reason,
    visits,
    reason,
  })
  const units = [
    unit(0, [route], null),
    unit(1, [hand], null),
    unit(2, [], finished ? missed : { why: 'not_yet' }),
  ]
  return {
    due: units.length,
    met: 2,
    inside_s: 3000,
    outside_s: 240,
    sites,
    units,
    visits: [
      { site: sites[0].id, ...route },
      { site: sites[1].id, ...hand },
    ],
  }
}

/** @param {import('./random.mjs').Chance} random @param {any} detail @param {number} n @param {Map<string, Buffer>} photos */
function makeIncident(random, detail, n, photos) {
  const { points } = detail.segments[0]
  const [lon, lat, t] = points[Math.floor(points.length * random.between(0.3, 0.7))]
  const [category, title, description] = FINDINGS[n % FINDINGS.length]
  const by = detail.patrol.worker
  const chief = { id: chance(77).id(), name: '社区值班室' }
  /** @type {any[]} */
  const history = [{ from: null, to: 'reported', by, at_ms: t, reason: null, ...PLAIN_STEP }]
  /** @param {string} to @param {any} who @param {number} minutes @param {string|null} reason @param {any} more */
  const step = (to, who, minutes, reason, more = {}) =>
    history.push({
      from: history[history.length - 1].to,
      to,
      by: who,
      at_ms: t + minutes * MINUTE,
      reason,
      ...PLAIN_STEP,
      ...more,
    })
  if (n % 4 === 0) {
    step('handled_on_site', by, 9, '已当场劝离并清理。')
    step('closed', by, 11, null)
  } else if (n % 4 === 1) {
    step('escalated', by, 6, '超出网格处理能力。', { holder: ABOVE })
    if (n === 1) {
      step('accepted', chief, 12, null)
      const order = { with: { limit_ms: t + HOUR }, assignee: { sort: 'department', name: null } }
      step('dispatched', chief, 14, null, order)
    }
  } else if (n % 4 === 2) step('handled_on_site', by, 14, '已联系物业，今日修复。')
  const pictures = Array.from({ length: n < 12 ? (n % 3) + 1 : 0 }, (_, i) => {
    const { bytes, sha256 } = drawPhoto(chance(5000 + n * 7 + i))
    const here = !(n % 3 === 1 && i === 1)
    if (here) photos.set(sha256, bytes)
    return { sha256, mime: 'image/png', bytes: bytes.length, here }
  })
  const incident = {
    id: random.id(),
    category,
    title,
    status: history[history.length - 1].to,
    severity: ['normal', 'serious', 'minor', 'normal', 'urgent'][n % 5],
    worker: by,
    grid: detail.patrol.grid,
    at_ms: t,
    place: n === 3 ? null : { lat, lon, accuracy_m: Math.round(random.between(4, 18)) },
    photos: pictures.length,
    patrol: detail.patrol.id,
    conflicts: n === 2 ? 1 : 0,
    due_ms: t + (n % 4 === 1 ? 1 : 26) * 3_600_000,
    overdue: n % 4 === 1,
  }
  return {
    incident,
    description,
    address: n === 1 ? '金雀山路 12 号院' : null,
    class: {
      category: null,
      subcategory: n === 1 ? { zh: '电动自行车违规充电', en: 'E-bikes charged indoors' } : null,
    },
    answers: n === 1 ? ANSWERS : [],
    holder: n % 4 === 1 ? ABOVE : detail.patrol.grid,
    assignee: n === 1 ? { sort: 'department', name: null } : null,
    /** @type {any[]} */
    duplicates: [],
    photos: pictures,
    history,
    comments:
      n % 4 === 1 ? [{ by: chief, at_ms: t + 25 * MINUTE, text: '已转消防中队，下午到场。' }] : [],
  }
}

/** The second and the third may be of one thing. @param {any[]} incidents */
function linkDuplicates(incidents) {
  const [, one, two] = incidents
  if (!two) return
  one.duplicates.push({ incident: two.incident, apart_m: 31 })
  two.duplicates.push({ incident: one.incident, apart_m: 31 })
}

/**
 * A record of each kind, by the day's first worker and the community above.
 * @param {import('./random.mjs').Chance} random @param {any[]} details @param {any[]} incidents
 */
function makeRecords(random, details, incidents) {
  if (!details.length) return []
  const { patrol, segments } = details[0]
  const { worker, grid } = patrol
  const [lon, lat, t] = segments[0].points[0]
  const place = { lat, lon }
  const chief = { id: chance(77).id(), name: '社区值班室' }
  const about = incidents[0]?.incident
  /** @param {string} kind @param {string} title @param {any} row @param {any} more */
  const make = (kind, title, row, more) => ({
    record: {
      id: random.id(),
      kind,
      title,
      status: null,
      worker,
      by: worker,
      grid,
      at_ms: t,
      due_ms: null,
      overdue: false,
      ...row,
    },
    fields: {},
    lists: {},
    sets: {},
    links: {},
    photos: [],
    history: [],
    comments: [],
    read_by: null,
    ...more,
  })
  /** @param {any} by @param {...[string, number, any?]} steps */
  const life = (by, ...steps) =>
    steps.map(([to, minutes, more = {}], i) => ({
      from: i ? steps[i - 1][0] : null,
      to,
      by,
      at_ms: t + minutes * MINUTE,
      reason: null,
      ...PLAIN_STEP,
      ...more,
    }))
  const said = (/** @type {any} */ value) => ({ by: worker, at_ms: t, value })
  return [
    make(
      'task',
      '核实广场噪声',
      { status: 'accepted', by: chief, due_ms: t + 20 * MINUTE, overdue: true },
      {
        fields: { work: 'verify', description: '居民多次反映，请到现场核实并回复。', place },
        links: about ? { about: { kind: 'incident', id: about.id } } : {},
        history: life(worker, ['sent', 0, { by: chief }], ['seen', 2], ['accepted', 3]),
      },
    ),
    make(
      'notice',
      '大风蓝色预警',
      { status: 'published', worker: null, by: chief, at_ms: t + MINUTE },
      {
        fields: { text: '今晚有大风，请检查广告牌和楼顶杂物。', until_ms: t + 12 * HOUR },
        history: life(chief, ['published', 1]),
        read_by: [{ worker, at_ms: t + 5 * MINUTE }],
      },
    ),
    make(
      'visit',
      '三单元 501',
      { at_ms: t + 2 * MINUTE },
      {
        fields: {
          found: '老人独居，身体尚好；燃气软管老化，已提醒更换。',
          person: { name: '住户甲', phone: '139****0000' },
          purpose: 'elder',
          place,
        },
        links: { patrol: { kind: 'patrol', id: patrol.id } },
        sets: { tags: [said('独居老人')] },
      },
    ),
    make(
      'finding',
      'hygiene',
      { status: 'normal', at_ms: t + 3 * MINUTE },
      { links: { patrol: { kind: 'patrol', id: patrol.id } } },
    ),
    make(
      'mediation',
      '邻里漏水纠纷',
      { status: 'agreed', at_ms: t + 4 * MINUTE },
      {
        fields: { cause: '楼上漏水，楼下墙面受损。', address: '三单元' },
        sets: { parties: [said({ name: '当事人甲' }), said({ name: '当事人乙' })] },
        lists: {
          sessions: [
            said({
              from_ms: t,
              where: '居委会',
              present: [{ name: '当事人甲' }, { name: '当事人乙' }],
              said: '双方同意由楼上修复。',
            }),
          ],
          look_again: [said({ date: '2026-12-05', note: '看修好没有' })],
        },
        history: life(
          worker,
          ['open', 0],
          ['agreed', 30, { with: { agreement: '楼上十日内修复并粉刷墙面。' } }],
        ),
      },
    ),
  ]
}

/**
 * The workers as the server knows them now.
 * @param {any[]} details today's patrols @param {number} now
 */
export function makeWorkers(details, now) {
  return details.map(({ patrol, segments }, i) => {
    const { points } = segments[segments.length - 1]
    const [lon, lat, t] = points[points.length - 1]
    const silent = i % 4 === 3
    const contact =
      i === 5 ? null : silent ? Math.min(t, now - 2.2 * HOUR) : now - (i * 35_000 + 9000)
    const waiting = i % 4 === 3 || i === 1
    return {
      id: patrol.worker.id,
      name: patrol.worker.name,
      grids: [patrol.grid],
      on_shift: patrol.status !== 'finished' || i % 2 === 0,
      last_contact_ms: contact,
      unsent: contact && {
        ops: waiting ? 3 : 0,
        chunks: waiting ? 4 + i : 0,
        blobs: silent ? 2 : 0,
        oldest_ms: waiting ? contact - 40 * MINUTE : null,
        reported_ms: contact,
      },
      last_position:
        contact && patrol.status !== 'finished' ? { lat, lon, at_ms: Math.min(t, contact) } : null,
    }
  })
}
