import { expect, test } from 'vitest'
import { said, type Tools } from './said'

const tools: Tools = {
  word: (word) => `<${word}>`,
  date: (ms) => `@${ms}`,
  day: (day) => `day ${day}`,
  and: '、',
}

test.each([
  ['text', '三楼', ['三楼']],
  ['word', 'visit', ['<visit>']],
  ['time', 5, ['@5']],
  ['person', { name: '甲', phone: '1', note: null }, ['甲 · 1']],
  ['dated', { date: '2026-12-01', note: '再看' }, ['day 2026-12-01', '再看']],
  [
    'session',
    { from_ms: 7, where: '居委会', present: [{ name: '甲' }, { name: '乙' }], said: '谈妥' },
    ['@7 · 居委会', '甲、乙', '谈妥'],
  ],
  ['session', { from_ms: 7 }, ['@7']],
] as const)('%s %j is said', (as, value, lines) => {
  expect(said(as, value, tools)).toEqual(lines)
})

test.each([
  ['text', 5],
  ['time', 'x'],
  ['person', null],
  ['person', {}],
  ['dated', { note: 'x' }],
  ['session', { said: 'x' }],
] as const)('%s that is %j says nothing, and nothing breaks', (as, value) => {
  expect(said(as, value, tools)).toEqual([])
})
