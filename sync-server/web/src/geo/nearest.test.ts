import { expect, test } from 'vitest'
import type { Route } from '@/api/types'
import { nearestRoute } from './nearest'

const routes: Route[] = [
  {
    patrol: 'south',
    worker: 'w',
    segments: [
      [
        [118, 35],
        [119, 35],
      ],
    ],
  },
  {
    patrol: 'north',
    worker: 'w',
    segments: [
      [
        [118, 36],
        [118.4, 36],
      ],
      [
        [118.6, 36],
        [119, 36],
      ],
    ],
  },
]
const all = new Set(['south', 'north'])

test('the nearest line wins, between its points too', () => {
  expect(nearestRoute([118.5, 35.4], routes, all)).toBe('south')
  expect(nearestRoute([118.2, 35.9], routes, all)).toBe('north')
})

test('only candidates count', () => {
  expect(nearestRoute([118.2, 35.9], routes, new Set(['south']))).toBe('south')
  expect(nearestRoute([118.2, 35.9], routes, new Set())).toBeNull()
})
