import { expect, test } from 'vitest'
import type { LonLat } from '@/api/types'
import { gridLabels, nameBelow, shortName, type LabelProperties } from './labels'
import { grid, squares } from './testing'

test('names lose the words all of them share', () => {
  expect(shortName('前十社区居民委员会')).toBe('前十社区')
  expect(shortName('大官庄村民委员会')).toBe('大官庄村')
  expect(shortName('金雀山街道')).toBe('金雀山街道')
  expect(nameBelow('前十社区第三网格', '前十社区居民委员会')).toBe('第三网格')
  expect(nameBelow('前十社区', '前十社区居民委员会')).toBe('前十社区')
  expect(nameBelow('别的网格', '前十社区居民委员会')).toBe('别的网格')
})

const map = squares([
  [grid('d', null, 'district', '兰山区'), 118, 35, 1],
  [grid('t', 'd', 'town', '方城镇'), 118, 35, 0.5],
  [grid('b', 't', 'base', '第一网格'), 118, 35, 0.01],
])
const labels = (routes: LonLat[][]): { p: LabelProperties; at: number[] }[] =>
  gridLabels(map, routes).features.map((feature) => ({
    p: feature.properties as LabelProperties,
    at: feature.geometry.coordinates,
  }))

test('a name is written where its polygon has most room, from the zoom it fits', () => {
  const [town, base] = labels([])
  expect(town?.p.name).toBe('方城镇')
  expect(town?.at[0]).toBeCloseTo(118.25, 2)
  // A fiftieth of the width needs some five and a half zooms more.
  expect((base?.p.from ?? 0) - (town?.p.from ?? 0)).toBeGreaterThan(5)
  expect(town?.p.until).toBeGreaterThan(town?.p.from ?? 0)
})

test('a small grid’s name stands beside the route that runs through it', () => {
  const across = (lat: number): LonLat[] => [
    [118, lat],
    [118.01, lat],
  ]
  const base = labels([across(35.003), across(35.006)])[1]
  expect(base?.at[1]).toBeCloseTo(35.008, 3)
  expect(base?.p.from).toBeGreaterThan(labels([])[1]?.p.from ?? 0)
})
