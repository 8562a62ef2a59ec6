import { describe, expect, test } from 'vitest'
import {
  addDays,
  age,
  clock,
  clockSeconds,
  dayOf,
  exact,
  isDay,
  monthSheet,
  span,
  weekday,
  zoneName,
} from './time'

const at = Date.parse('2026-11-20T16:05:09Z')
const SHANGHAI = 480

describe('the district’s zone', () => {
  test('the day turns at its own midnight', () => {
    expect(dayOf(at, SHANGHAI)).toBe('2026-11-21')
    expect(dayOf(at, 0)).toBe('2026-11-20')
  })
  test('clock and exact time', () => {
    expect(clock(at, SHANGHAI)).toBe('00:05')
    expect(clockSeconds(at, SHANGHAI)).toBe('00:05:09')
    expect(exact(at, SHANGHAI)).toBe('2026-11-21 00:05:09 UTC+8')
  })
  test.each([
    [0, 'UTC+0'],
    [330, 'UTC+5:30'],
    [-180, 'UTC−3'],
  ])('%d minutes', (offset, name) => {
    expect(zoneName(offset)).toBe(name)
  })
})

describe('age', () => {
  const minute = 60_000
  test.each([
    [0, { unit: 'now' }],
    [59_999, { unit: 'now' }],
    [minute, { unit: 'minutes', n: 1 }],
    [59 * minute, { unit: 'minutes', n: 59 }],
    [60 * minute, { unit: 'hours', n: 1 }],
    [24 * 60 * minute - 1, { unit: 'hours', n: 23 }],
    [24 * 60 * minute, { unit: 'date' }],
    // A little ahead is clock skew; far ahead must not look fresh.
    [-30_000, { unit: 'now' }],
    [-2 * minute, { unit: 'date' }],
  ])('%d ms ago', (past, expected) => {
    expect(age(at - past, at)).toEqual(expected)
  })
})

test.each([
  [12, { hours: 0, minutes: 0, seconds: 12 }],
  [59.6, { hours: 0, minutes: 1, seconds: 0 }],
  [3599, { hours: 1, minutes: 0, seconds: 0 }],
  [4800, { hours: 1, minutes: 20, seconds: 0 }],
  [-5, { hours: 0, minutes: 0, seconds: 0 }],
])('a span of %d s', (seconds, expected) => {
  expect(span(seconds)).toEqual(expected)
})

describe('days', () => {
  test('only real days are days', () => {
    expect(isDay('2026-02-28')).toBe(true)
    expect(isDay('2026-02-30')).toBe(false)
    expect(isDay('2026-2-3')).toBe(false)
    expect(isDay('today')).toBe(false)
  })
  test('days are added over months and years', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
    expect(addDays('2028-03-01', -1)).toBe('2028-02-29')
  })
  test('weeks begin on Monday', () => {
    expect(weekday('2026-11-16')).toBe(0)
    expect(weekday('2026-11-22')).toBe(6)
  })
  test('a month’s sheet is whole weeks that hold the whole month', () => {
    for (const month of ['2026-02', '2026-11', '2027-02', '2026-12']) {
      const sheet = monthSheet(month)
      expect(sheet.length % 7).toBe(0)
      expect(weekday(sheet[0] ?? '')).toBe(0)
      const days = sheet.filter((day) => day.startsWith(month))
      expect(days[0]).toBe(`${month}-01`)
      expect(addDays(days[days.length - 1] ?? '', 1).slice(8)).toBe('01')
    }
  })
})
