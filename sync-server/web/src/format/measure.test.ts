import { expect, test } from 'vitest'
import { bytes, count, distance, position } from './measure'
import { NARROW } from './space'

const plain = (text: string): string => text.replaceAll(NARROW, ' ')

test.each([
  [0, '0 m'],
  [429.6, '430 m'],
  [999.4, '999 m'],
  [999.6, '1.0 km'],
  [3249, '3.2 km'],
  [99_949, '99.9 km'],
  [99_950, '100 km'],
  [128_400, '128 km'],
])('%d metres', (metres, expected) => {
  expect(plain(distance(metres))).toBe(expected)
})

test.each([
  [812, '812 B'],
  [245_760, '240 KB'],
  [1_048_500, '1.0 MB'],
  [3_355_443, '3.2 MB'],
])('%d bytes', (size, expected) => {
  expect(plain(bytes(size))).toBe(expected)
})

test('large counts are grouped from five digits on', () => {
  expect(plain(count(1956))).toBe('1956')
  expect(plain(count(30_214_567))).toBe('30 214 567')
})

test('a position has five places', () => {
  expect(position(35.2631349, 118.1641)).toBe('35.26313, 118.16410')
})
