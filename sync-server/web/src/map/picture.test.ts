import { expect, test } from 'vitest'
import type { Incident, Worker } from '@/api/types'
import { buildTree } from '@/geo/grids'
import { grid, squares } from '@/geo/testing'
import { gridsWithPaths, incidentPoints, positionOpacity, workerPoints } from './picture'

test('each grid knows all that stand above it', () => {
  const [d, t] = [grid('d', null, 'district', '兰山区'), grid('t', 'd', 'town', '方城镇')]
  const tree = buildTree([d, t])
  const map = squares([
    [d, 118, 35, 1],
    [t, 118, 35, 0.5],
  ])
  expect(
    tree && gridsWithPaths(map, tree).features.map((feature) => feature.properties),
  ).toMatchObject([{ path: 'd' }, { path: 'd t' }])
})

const incident = (change: Partial<Incident>): Incident => ({
  id: 'i',
  category: 'hygiene',
  title: '',
  status: 'reported',
  severity: 'normal',
  worker: { id: 'w', name: '' },
  grid: { id: 'g', code: '', name: '' },
  at_ms: 0,
  place: { lat: 35, lon: 118, accuracy_m: null },
  photos: 0,
  patrol: null,
  conflicts: 0,
  due_ms: null,
  overdue: false,
  ...change,
})

test('incidents: one without a place is not put anywhere, one of an unknown category is drawn', () => {
  const { features } = incidentPoints([
    incident({ place: null }),
    incident({ category: 'meteor' }),
    incident({ overdue: true }),
  ])
  expect(features.map((feature): unknown => feature.properties?.image)).toEqual([
    'incident-other',
    'incident-hygiene-overdue',
  ])
})

test('nothing old looks live', () => {
  const minutes = [0, 6, 40, 500].map((n) => positionOpacity(n * 60_000))
  expect(minutes).toEqual([...minutes].sort((a, b) => b - a))
  expect(new Set(minutes).size).toBe(4)
})

test('a worker never located is not on the map', () => {
  const worker: Worker = {
    id: 'w',
    name: '张伟',
    grids: [],
    on_shift: true,
    last_contact_ms: null,
    unsent: null,
    last_position: null,
  }
  expect(workerPoints([worker], 0, () => '').features).toEqual([])
})
