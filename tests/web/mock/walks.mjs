// Walks for the mock server, cut out of the real tracks in tests/fixtures: a
// piece is 25 minutes, thinned to a point each eight seconds, slowed to a
// walk, in metres from its first point.
import { readFileSync } from 'node:fs'

const FOLDER = new URL('../../fixtures/tracks/', import.meta.url)
const METRES_PER_DEGREE = 111_195
const SLOWER = 1.6
const PIECE_MS = 1_500_000

/** @type {[string, number][]} */
const PIECES = [
  ['fit_activity_large_fenxi2_multisport.csv', 2],
  ['fit_activity_large_fenxi2_multisport.csv', 3],
  ['fit_activity_large_fenxi2_multisport.csv', 6],
  ['fit_developer_types_sample.csv', 0],
  ['fit_developer_types_sample.csv', 1],
]

/** @typedef {[seconds: number, east: number, north: number]} Step */

/** @param {string} file @param {number} nth @returns {Step[]} */
function piece(file, nth) {
  const fixes = readFileSync(new URL(file, FOLDER), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number))
  const from = fixes[0][0] + nth * PIECE_MS
  const first = fixes.find(([t]) => t >= from) ?? fixes[0]
  const squeeze = Math.cos((first[1] * Math.PI) / 180)
  /** @type {Step[]} */
  const steps = []
  let next = from
  for (const [t, lat, lon] of fixes) {
    if (t < next || t > from + PIECE_MS) continue
    next = t + 8000
    steps.push([
      ((t - from) / 1000) * SLOWER,
      (lon - first[2]) * METRES_PER_DEGREE * squeeze,
      (lat - first[1]) * METRES_PER_DEGREE,
    ])
  }
  return steps
}

export const readWalks = () => PIECES.map(([file, nth]) => piece(file, nth))

/** Folds a length into ±half, as if the edge were a mirror. @param {number} x @param {number} half */
function fold(x, half) {
  const period = 4 * half
  const y = (((x + half) % period) + period) % period
  return y < 2 * half ? y - half : 3 * half - y
}

/**
 * A walk moved to a centre, turned, and folded into a square around it.
 * @param {Step[]} walk @param {[number, number]} centre @param {number} half metres @param {number} turn radians
 * @returns {{s: number, at: [number, number]}[]}
 */
export function place(walk, centre, half, turn) {
  const squeeze = Math.cos((centre[1] * Math.PI) / 180)
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
  return walk.map(([s, east, north]) => {
    const x = fold(east * cos - north * sin, half)
    const y = fold(east * sin + north * cos, half)
    return {
      s,
      at: [
        Number((centre[0] + x / METRES_PER_DEGREE / squeeze).toFixed(6)),
        Number((centre[1] + y / METRES_PER_DEGREE).toFixed(6)),
      ],
    }
  })
}

/** Metres between two positions. @param {[number, number]} a @param {[number, number]} b */
export function metres(a, b) {
  const squeeze = Math.cos((a[1] * Math.PI) / 180)
  return METRES_PER_DEGREE * Math.hypot((b[0] - a[0]) * squeeze, b[1] - a[1])
}
