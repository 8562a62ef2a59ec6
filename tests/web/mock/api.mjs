// The page's API (docs/api.md) over made-up data, with switches by which a
// test makes things go wrong.
import { randomBytes } from 'node:crypto'
import { makeDay, makeWorkers } from './day.mjs'
import { makeGrids } from './grids.mjs'
import { chance } from './random.mjs'

export const PASSWORD = 'mock-password'
/** The mock's first moment: 21 November 2026, 10:40 in Lanshan. */
export const NOW_MS = Date.parse('2026-11-21T02:40:00Z')

const CATALOGUE = {
  version: 1,
  categories: [
    { code: 'hygiene', name: { zh: '环境卫生', en: 'Hygiene' } },
    { code: 'fire_safety', name: { zh: '消防安全', en: 'Fire safety' } },
    { code: 'public_order', name: { zh: '社会治安', en: 'Public order' } },
    { code: 'family_dispute', name: { zh: '家庭纠纷', en: 'Family dispute' } },
    { code: 'other', name: { zh: '其他', en: 'Other' } },
  ],
}

/** Names that log in, with their role and the code of their grid. */
const USERS = {
  lanshan: { name: '区调度中心', role: 'district', code: '371302' },
  street: { name: '金雀山街道', role: 'town', code: '371302003' },
  nobody: { name: '新来的', role: 'community', code: '371302109201' },
}

class Refusal extends Error {
  /** @param {number} status @param {string} code @param {Record<string, string>} headers */
  constructor(status, code, headers = {}) {
    super(code)
    Object.assign(this, { status, code, headers })
  }
}

/** @param {{patrols?: number}} options */
export function makeApi({ patrols = 12 } = {}) {
  const grids = makeGrids()
  /** @type {Map<string, Buffer>} */
  const photos = new Map()
  const started = Date.now()
  const now = () => NOW_MS + (Date.now() - started)
  const dates = ['2026-11-21', '2026-11-20', '2026-11-18']
  const days = new Map(
    dates.map((date, i) => [
      date,
      makeDay(grids, {
        date,
        now: NOW_MS,
        patrols: i === 0 ? patrols : Math.min(patrols, 9),
        seed: 11 + i,
        photos,
      }),
    ]),
  )
  const all = [...days.values()]
  const workers = makeWorkers(all[0].details, NOW_MS)
  /** @type {Map<string, keyof typeof USERS>} */
  const sessions = new Map()
  /** Paths that go wrong, and how. @type {{path: RegExp, status: number, code: string, headers?: Record<string, string>}[]} */
  const faults = []

  const me = (/** @type {keyof typeof USERS} */ key) => ({
    id: chance(key.length).id(),
    name: USERS[key].name,
    role: USERS[key].role,
    grid: grids.byCode(USERS[key].code)?.grid,
    utc_offset_min: 480,
    now_ms: now(),
    latest_day: key === 'nobody' ? null : dates[0],
    notice: {
      zh: '网格边界为合成；轨迹为移动后的真实轨迹',
      en: 'Grid boundaries are synthetic; routes are real walks, moved here',
    },
  })

  /** @param {any} user @param {string|null} id */
  function scope(user, id) {
    const mine = grids.below(user.grid.id).map(({ grid }) => grid.id)
    if (id && !mine.includes(id)) {
      throw grids.byId(id) ? new Refusal(403, 'forbidden') : new Refusal(404, 'not_found')
    }
    return new Set(grids.below(id ?? user.grid.id).map(({ grid }) => grid.id))
  }

  /** @param {any} user @param {URLSearchParams} query */
  function dayOf(user, query) {
    const ids = scope(user, query.get('grid'))
    const day = days.get(query.get('date') ?? '') ?? { details: [], incidents: [], records: [] }
    return {
      details: day.details.filter((/** @type {any} */ d) => ids.has(d.patrol.grid.id)),
      incidents: day.incidents.filter((/** @type {any} */ i) => ids.has(i.incident.grid.id)),
      records: day.records.filter((/** @type {any} */ r) => ids.has(r.record.grid.id)),
    }
  }

  /** @param {any} user @param {any[]} list @param {(each: any) => any} head @param {string} id */
  function one(user, list, head, id) {
    const found = list.find((each) => head(each).id === id)
    if (!found) throw new Refusal(404, 'not_found')
    scope(user, head(found).grid.id)
    return found
  }

  /** @param {any} user @param {string} path @param {URLSearchParams} query */
  function read(user, path, query) {
    const [, , what, id, more] = path.split('/')
    switch (what) {
      case 'me':
        return user
      case 'catalogue':
        return CATALOGUE
      case 'grids':
        if (!id) return { grids: grids.below(user.grid.id).map(({ grid }) => grid) }
        scope(user, id)
        if (more === 'map') return grids.map(id)
        break
      case 'day': {
        const day = dayOf(user, query)
        if (id === 'routes') {
          return {
            routes: day.details.map(({ patrol, segments }) => ({
              patrol: patrol.id,
              worker: patrol.worker.id,
              segments: segments.map((/** @type {any} */ s) =>
                s.points.map((/** @type {number[]} */ p) => [p[0], p[1]]),
              ),
            })),
          }
        }
        return {
          date: query.get('date'),
          grid: query.get('grid'),
          now_ms: now(),
          patrols: day.details.map(({ patrol }) => patrol),
          incidents: day.incidents.map(({ incident }) => incident),
        }
      }
      case 'coverage': {
        const list = dayOf(user, query).details.map(({ coverage }) => coverage)
        const sum = (/** @type {'due' | 'met'} */ of) => list.reduce((n, each) => n + each[of], 0)
        const day = { due: sum('due'), met: sum('met') }
        const weekly = list.flatMap(({ sites }) =>
          sites
            .filter((/** @type {any} */ { every }) => every === 'week')
            .map((/** @type {any} */ { id }) => ({
              site: id,
              period: 'week',
              patrol: null,
              times: 1,
              met: false,
              visits: [],
              reason: { why: 'said', word: 'nobody_home', note: '邻居说住院了' },
            })),
        )
        return {
          date: query.get('date'),
          grid: query.get('grid'),
          now_ms: now(),
          day,
          week: {
            from: '2026-11-16',
            to: '2026-11-22',
            due: day.due + weekly.length,
            met: day.met,
          },
          sites: list.flatMap(({ sites }) => sites),
          units: [...list.flatMap(({ units }) => units), ...weekly],
        }
      }
      case 'days':
        return {
          days: dates.filter(
            (date) =>
              dayOf(user, new URLSearchParams({ date, grid: query.get('grid') ?? '' })).details
                .length,
          ),
        }
      case 'patrols':
        return one(
          user,
          all.flatMap(({ details }) => details),
          (each) => each.patrol,
          id,
        )
      case 'incidents':
        return one(
          user,
          all.flatMap(({ incidents }) => incidents),
          (each) => each.incident,
          id,
        )
      case 'records': {
        if (id) {
          const records = all.flatMap(({ records }) => records)
          const of = records.filter(({ record }) => record.kind === id)
          return one(user, of, (each) => each.record, more)
        }
        const kind = query.get('kind')
        const rows = dayOf(user, query).records.map(({ record }) => record)
        return {
          date: query.get('date'),
          grid: query.get('grid'),
          now_ms: now(),
          records: rows.filter((/** @type {any} */ row) =>
            kind ? row.kind === kind : row.kind !== 'mediation',
          ),
        }
      }
      case 'workers': {
        const ids = scope(user, query.get('grid'))
        return { now_ms: now(), workers: workers.filter((w) => ids.has(w.grids[0].id)) }
      }
      case 'blobs': {
        const bytes = photos.get(id)
        if (bytes) return bytes
      }
    }
    throw new Refusal(404, 'not_found')
  }

  /**
   * Answers one request.
   * @param {{method: string, path: string, query: URLSearchParams, cookie: string, csrf: boolean, body: string}} request
   * @returns {{status: number, body?: any, headers?: Record<string, string>}}
   */
  function answer({ method, path, query, cookie, csrf, body }) {
    const fault = faults.find((each) => each.path.test(path))
    if (fault) throw new Refusal(fault.status, fault.code, fault.headers)
    if (method !== 'GET' && !csrf) throw new Refusal(400, 'bad_request')
    const token = /(?:^|; )gridwalk=([^;]+)/.exec(cookie)?.[1] ?? ''
    if (path === '/api/login' && method === 'POST') {
      const { name, password } = JSON.parse(body)
      if (!(name in USERS) || password !== PASSWORD) throw new Refusal(401, 'wrong_credentials')
      const key = randomBytes(16).toString('hex')
      sessions.set(key, name)
      return {
        status: 200,
        body: me(name),
        headers: { 'Set-Cookie': `gridwalk=${key}; HttpOnly; SameSite=Strict; Path=/` },
      }
    }
    const key = sessions.get(token)
    if (!key) throw new Refusal(401, 'signed_out')
    if (path === '/api/logout' && method === 'POST') {
      sessions.delete(token)
      return { status: 204 }
    }
    if (method !== 'GET') throw new Refusal(404, 'not_found')
    return { status: 200, body: read(me(key), path, query) }
  }

  return {
    answer(/** @type {Parameters<typeof answer>[0]} */ request) {
      try {
        return answer(request)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const { status, code, headers } = /** @type {any} */ (error)
        return { status, headers, body: { error: { code, text: code } } }
      }
    },
    /** Makes calls under a path go wrong until `heal`. @param {RegExp} path @param {number} status @param {string} code @param {Record<string, string>} [headers] */
    fail(path, status, code, headers) {
      faults.push({ path, status, code, ...(headers ? { headers } : {}) })
    },
    heal() {
      faults.length = 0
    },
    /** Ends all sessions, as a restart or their age would. */
    expire() {
      sessions.clear()
    },
    grids,
  }
}
