import { expect, test } from 'vitest'
import { formatChoice, NOTHING, parseChoice, type Choice } from './url'

test('nothing chosen is an empty query', () => {
  expect(formatChoice(NOTHING)).toBe('')
  expect(parseChoice('')).toEqual(NOTHING)
})

test.each<Choice>([
  { ...NOTHING, day: '2026-11-21', grid: 'a-1', list: 'workers' },
  { ...NOTHING, chosen: { kind: 'incident', id: 'i&1=?' } },
  { ...NOTHING, list: 'records', only: 'visit', chosen: { kind: 'task', id: 't-1' } },
  { ...NOTHING, chosen: { kind: 'patrol', id: 'p-1' }, part: { kind: 'gap', index: 3 } },
])('a choice survives the address: %j', (choice) => {
  expect(parseChoice(formatChoice(choice))).toEqual(choice)
})

test('what makes no sense is left out', () => {
  const choice = parseChoice('?day=2026-13-40&list=cats&only=toString&part=gap-1&incident=i&foo=1')
  expect(choice).toEqual({ ...NOTHING, chosen: { kind: 'incident', id: 'i' } })
  expect(parseChoice('?patrol=p&part=stop-x').part).toBeNull()
})
