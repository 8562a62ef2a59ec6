import { expect, test } from 'vitest'
import { boundsOf, contains, union } from './bounds'

test('the smallest box, or none', () => {
  expect(
    boundsOf([
      [2, 1],
      [1, 5],
      [3, 2],
    ]),
  ).toEqual([1, 1, 3, 5])
  expect(boundsOf([])).toBeNull()
  expect(union([null, [0, 0, 1, 1], [2, -1, 3, 0]])).toEqual([0, -1, 3, 1])
  expect(union([null])).toBeNull()
})

test('a box holds itself, and not what sticks out', () => {
  expect(contains([0, 0, 2, 2], [0, 0, 2, 2])).toBe(true)
  expect(contains([0, 0, 2, 2], [1, 1, 2.1, 2])).toBe(false)
})
