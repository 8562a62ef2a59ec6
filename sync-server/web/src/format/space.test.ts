import { expect, test } from 'vitest'
import { NARROW, spaced, THIN, withUnit } from './space'

test('a number and its unit stay together', () => {
  expect(withUnit('3.2', 'km')).toBe(`3.2${NARROW}km`)
})

test.each([
  ['共12条', `共${THIN}12${NARROW}条`],
  ['GPS信号', `GPS${THIN}信号`],
  ['纯中文，没有空隙', '纯中文，没有空隙'],
  ['plain English 12', 'plain English 12'],
  ['62%完成', `62%${NARROW}完成`],
])('%s', (text, expected) => {
  expect(spaced(text)).toBe(expected)
})

test('spacing twice is spacing once', () => {
  const once = spaced('11月21日有3次巡查')
  expect(spaced(once)).toBe(once)
})
