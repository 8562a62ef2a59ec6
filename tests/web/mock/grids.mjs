// Grids for the mock server: the official names, and boundaries made by
// cutting the district's outline into cells, level by level.
import { readFileSync } from 'node:fs'
import { chance } from './random.mjs'

/** @typedef {[number, number]} Point longitude, latitude */
/** @typedef {{id: string, parent: string|null, code: string, level: string, name: string, synthetic: boolean}} Grid */

const FIXTURES = new URL('../../fixtures/lanshan/', import.meta.url)
/** Makes a degree of longitude as long as one of latitude. */
const SQUEEZE = Math.cos((35.2 * Math.PI) / 180)
const BASE_GRIDS = 1956
const NUMERALS = ['一', '二', '三', '四', '五', '六', '七', '八', '九', '十']

/** @param {Point[]} ring */
function areaOf(ring) {
  let sum = 0
  ring.forEach(([x1, y1], i) => {
    const [x2, y2] = ring[(i + 1) % ring.length]
    sum += x1 * y2 - x2 * y1
  })
  return Math.abs(sum / 2)
}

/** @param {Point[]} ring @returns {Point} */
export function centreOf(ring) {
  let [x, y, weight] = [0, 0, 0]
  ring.forEach(([x1, y1], i) => {
    const [x2, y2] = ring[(i + 1) % ring.length]
    const cross = x1 * y2 - x2 * y1
    x += (x1 + x2) * cross
    y += (y1 + y2) * cross
    weight += 3 * cross
  })
  return weight ? [x / weight, y / weight] : ring[0]
}

/** The part of the ring that is nearer to a than to b. @param {Point[]} ring @param {Point} a @param {Point} b */
function nearer(ring, a, b) {
  const [mx, my] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
  /** @param {Point} p */
  const side = (p) => (p[0] - mx) * (b[0] - a[0]) + (p[1] - my) * (b[1] - a[1])
  /** @type {Point[]} */
  const kept = []
  ring.forEach((p, i) => {
    const q = ring[(i + 1) % ring.length]
    const [dp, dq] = [side(p), side(q)]
    if (dp <= 0) kept.push(p)
    if (dp < 0 !== dq < 0) {
      const share = dp / (dp - dq)
      kept.push([p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share])
    }
  })
  return kept
}

/** @param {Point} p @param {Point[]} ring */
function inside([x, y], ring) {
  let odd = false
  ring.forEach(([x1, y1], i) => {
    const [x2, y2] = ring[(i + 1) % ring.length]
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd
  })
  return odd
}

/** Cuts a ring into so many cells of about the same size. @param {Point[]} ring @param {number} count @param {import('./random.mjs').Chance} random */
function cut(ring, count, random) {
  const xs = ring.map(([x]) => x)
  const ys = ring.map(([, y]) => y)
  /** @type {Point[]} */
  let seeds = []
  while (seeds.length < count) {
    /** @type {Point} */
    const p = [
      random.between(Math.min(...xs), Math.max(...xs)),
      random.between(Math.min(...ys), Math.max(...ys)),
    ]
    if (inside(p, ring)) seeds.push(p)
  }
  /** @type {Point[][]} */
  let cells = []
  for (let round = 0; round < 4; round++) {
    cells = seeds.map((seed) =>
      seeds.reduce((cell, other) => (other === seed ? cell : nearer(cell, seed, other)), ring),
    )
    seeds = cells.map((cell, i) => (cell.length > 2 ? centreOf(cell) : seeds[i]))
  }
  return cells
}

/** @param {Point[]} ring */
const closed = (ring) =>
  [...ring, ring[0]].map(([x, y]) => [Number((x / SQUEEZE).toFixed(6)), Number(y.toFixed(6))])

/** Builds the whole district. */
export function makeGrids() {
  const random = chance(371302)
  const rows = readFileSync(new URL('divisions.csv', FIXTURES), 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','))
  const outline = JSON.parse(readFileSync(new URL('outline.geojson', FIXTURES), 'utf8'))
  /** @type {Point[]} */
  const district = outline.features[0].geometry.coordinates[0][0]
    .slice(0, -1)
    .map((/** @type {Point} */ [x, y]) => [x * SQUEEZE, y])

  /** @type {Map<string, {grid: Grid, ring: Point[]}>} */
  const byCode = new Map()
  /** @type {{grid: Grid, ring: Point[]}[]} */
  const all = []
  /** @param {string} code @param {Grid|null} parent @param {string} level @param {string} name @param {Point[]} ring */
  function add(code, parent, level, name, ring) {
    const grid = {
      id: random.id(),
      parent: parent ? parent.id : null,
      code,
      level,
      name,
      synthetic: level !== 'district',
    }
    const made = { grid, ring }
    byCode.set(code, made)
    all.push(made)
    return made
  }

  const root = add(rows[0][0], null, 'district', rows[0][3], district)
  for (const level of ['town', 'community']) {
    for (const parent of level === 'town' ? [root] : all.filter((a) => a.grid.level === 'town')) {
      const children = rows.filter((row) => row[1] === parent.grid.code && row[2] === level)
      const cells = cut(parent.ring, children.length, random)
      children.forEach(([code, , , name], i) => add(code, parent.grid, level, name, cells[i]))
    }
  }
  const communities = all.filter((a) => a.grid.level === 'community')
  const total = communities.reduce((sum, { ring }) => sum + areaOf(ring), 0)
  // Every community gets three; what is left goes by size.
  const left = BASE_GRIDS - 3 * communities.length
  let owed = 0
  for (const { grid, ring } of communities) {
    owed += (left * areaOf(ring)) / total
    const extra = Math.min(7, Math.round(owed))
    owed -= extra
    const name = grid.name.replace(/(居民|村民)?委员会$/, '')
    cut(ring, 3 + extra, random).forEach((cell, i) => {
      const code = `${grid.code}${String(i + 1).padStart(3, '0')}`
      add(code, grid, 'base', `${name}第${NUMERALS[i]}网格`, cell)
    })
  }

  /** @param {string} id */
  const byId = (id) => all.find((each) => each.grid.id === id)
  /** @param {string} id */
  function below(id) {
    const ids = new Set([id])
    // Parents stand before their children.
    for (const { grid } of all) if (grid.parent && ids.has(grid.parent)) ids.add(grid.id)
    return all.filter(({ grid }) => ids.has(grid.id))
  }
  return {
    root: root.grid,
    all,
    below,
    byId,
    /** @param {string} code */
    byCode: (code) => byCode.get(code),
    /** @param {string} id */
    map: (id) => ({
      type: 'FeatureCollection',
      features: below(id).map(({ grid, ring }) => ({
        type: 'Feature',
        id: grid.id,
        geometry: { type: 'Polygon', coordinates: [closed(ring)] },
        properties: grid,
      })),
    }),
    /** The centre of a grid in degrees. @param {string} id @returns {Point} */
    centre(id) {
      const [x, y] = centreOf(byId(id)?.ring ?? district)
      return [x / SQUEEZE, y]
    },
  }
}

/** @typedef {ReturnType<typeof makeGrids>} Grids */
