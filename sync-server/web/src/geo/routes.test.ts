import { describe, expect, test } from 'vitest'
import type { Gap, LonLat, Route } from '@/api/types'
import { chosenShapes, gapLines, routeShapes, stopPoints, stopRadius, stopText } from './routes'
import { detail, patrol } from './testing'

const a: LonLat = [118.1, 35.1]
const b: LonLat = [118.2, 35.1]
const c: LonLat = [118.3, 35.2]
const d: LonLat = [118.4, 35.2]

const route = (segments: LonLat[][]): Route => ({ patrol: 'p', worker: 'w', segments })
const kinds = (features: GeoJSON.Feature[]): unknown[] =>
  features.map((feature): unknown => feature.properties?.kind)

describe('the routes of a day', () => {
  test('a gap is joined by nothing', () => {
    const { lines, marks } = routeShapes(
      [
        route([
          [a, b],
          [c, d],
        ]),
      ],
      [patrol('p')],
    )
    expect(lines.features).toHaveLength(1)
    expect(lines.features[0]?.geometry.coordinates).toEqual([
      [a, b],
      [c, d],
    ])
    expect(kinds(marks.features)).toEqual(['start', 'open', 'open', 'end'])
    expect(marks.features[1]?.geometry.coordinates).toEqual(b)
    expect(marks.features[2]?.geometry.coordinates).toEqual(c)
  })

  test('a patrol under way has a latest place, not an end', () => {
    const { marks } = routeShapes([route([[a, b]])], [patrol('p', { status: 'active' })])
    expect(kinds(marks.features)).toEqual(['start', 'latest'])
  })

  test('a lone fix is no line, but is marked', () => {
    const { lines, marks } = routeShapes([route([[a], [], [c, d]])], [patrol('p')])
    expect(lines.features[0]?.geometry.coordinates).toEqual([[c, d]])
    expect(kinds(marks.features)).toEqual(['start', 'open', 'open', 'end'])
  })

  test('no fixes, no marks', () => {
    const { lines, marks } = routeShapes([route([])], [patrol('p')])
    expect(lines.features[0]?.geometry.coordinates).toEqual([])
    expect(marks.features).toEqual([])
  })
})

test('the chosen route leaves its times out', () => {
  const shapes = chosenShapes(
    detail([
      {
        points: [
          [...a, 1000],
          [...b, 2000],
        ],
      },
    ]),
  )
  expect(shapes.lines.features[0]?.geometry.coordinates).toEqual([[a, b]])
})

test('only gaps with both ends known have a line; the index stays that of the list', () => {
  const gap = (from: LonLat | null, to: LonLat | null): Gap => ({
    from_ms: 0,
    to_ms: 1000,
    cause: 'no_signal',
    from,
    to,
  })
  const lines = gapLines([gap(a, null), gap(a, b)], (each) => each.cause)
  expect(lines.features).toHaveLength(1)
  expect(lines.features[0]?.properties).toEqual({ index: 1, text: 'no_signal' })
})

describe('stops', () => {
  test('from five minutes on the length is written', () => {
    expect(stopText(299)).toBe('')
    expect(stopText(300)).toBe('5′')
    expect(stopText(3599)).toBe('1h00′')
    expect(stopText(3900)).toBe('1h05′')
  })
  test('discs grow with time, have room for what is written, and stay small', () => {
    expect(stopRadius(60)).toBeLessThan(stopRadius(240))
    expect(stopRadius(300)).toBeGreaterThanOrEqual(13)
    expect(stopRadius(3600)).toBeGreaterThan(stopRadius(1200))
    expect(stopRadius(100_000)).toBe(24)
  })
  test('each is a point with its place in the list', () => {
    const points = stopPoints([{ from_ms: 0, to_ms: 600_000, at: a }])
    expect(points.features[0]?.properties).toMatchObject({ index: 0, text: '10′' })
  })
})
