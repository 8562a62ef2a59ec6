import { expect, test } from 'vitest'
import type { Coverage, PatrolCoverage, Site, Unit } from '@/api/types'
import { siteCircles, sitesOfDay, sitesOfPatrol } from './sites'

const grid = { id: 'g', code: '371302001001001', name: '甲一' }
const site = (id: string): Site => ({
  id,
  name: id,
  sort: null,
  grid,
  at: [118.33, 35.05],
  radius_m: 30,
  every: 'day',
  times: 1,
})
const unit = (id: string, met: boolean, why: 'not_yet' | 'no_patrol' = 'no_patrol'): Unit => ({
  site: id,
  period: 'day',
  patrol: null,
  times: 1,
  met,
  visits: [],
  reason: met ? null : { why },
})
const visit = { site: 'b', at_ms: 1, patrol: 'p', by: 'route' as const, away_m: 3 }

test('what was missed comes first, what has time yet next', () => {
  const coverage: Coverage = {
    date: '2026-11-21',
    grid: 'g',
    now_ms: 0,
    day: { due: 3, met: 1 },
    week: null,
    sites: ['a', 'b', 'c'].map(site),
    units: [unit('a', true), unit('b', false, 'not_yet'), unit('c', false), unit('gone', true)],
  }
  const list = sitesOfDay(coverage)
  expect(list.map((each) => [each.site.id, each.standing])).toEqual([
    ['c', 'missed'],
    ['b', 'open'],
    ['a', 'met'],
  ])
})

test('a patrol lists its due sites and those it visited besides', () => {
  const coverage: PatrolCoverage = {
    due: 1,
    met: 0,
    inside_s: 10,
    outside_s: 0,
    sites: ['a', 'b', 'c'].map(site),
    units: [unit('a', false)],
    visits: [visit],
  }
  const list = sitesOfPatrol(coverage)
  expect(list.map((each) => [each.site.id, each.standing, each.visits.length])).toEqual([
    ['a', 'missed', 0],
    ['c', 'open', 0],
    ['b', 'met', 1],
  ])
})

test('a circle is as wide as the radius, and each site is drawn once', () => {
  const list = sitesOfPatrol({
    due: 2,
    met: 1,
    inside_s: null,
    outside_s: null,
    sites: [site('a')],
    units: [unit('a', true), unit('a', false)],
    visits: [],
  })
  const { features } = siteCircles(list, (each) => each.site.name)
  expect(features.map((each) => each.properties)).toEqual([{ standing: 'missed', text: 'a' }])
  const ring = features[0]?.geometry.coordinates[0] ?? []
  expect(ring[0]).toEqual(ring[ring.length - 1])
  const east = (ring[0]?.[0] ?? 0) - 118.33
  expect(east * 111_195 * Math.cos((35.05 * Math.PI) / 180)).toBeCloseTo(30, 3)
})
