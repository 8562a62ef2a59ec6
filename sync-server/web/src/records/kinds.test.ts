// Every kind has all its words in both languages.
import { expect, test } from 'vitest'
import en from '@/locales/en.json'
import zh from '@/locales/zh.json'
import { isKind, isNarrow, KIND_NAMES, KINDS, stateLook, type RecordKind } from './kinds'

const LANGUAGES: Record<string, Record<string, string>>[] = [zh, en].map((texts) => ({
  kinds: texts.recordKind,
  states: texts.recordState,
  fields: texts.recordField,
  lists: texts.recordList,
}))

test.each(KIND_NAMES)('%s has its words', (name) => {
  const kind: RecordKind = KINDS[name]
  for (const words of LANGUAGES) {
    expect(words.kinds?.[name]).toBeTruthy()
    for (const state of Object.keys(kind.states))
      expect(words.states?.[`${name}_${state}`], state).toBeTruthy()
    for (const [field, as] of kind.fields)
      if (as !== 'long') expect(words.fields?.[field], field).toBeTruthy()
    for (const [list] of kind.lists) expect(words.lists?.[list], list).toBeTruthy()
  }
})

test('what is no kind is none, whatever objects inherit', () => {
  expect(isKind('visit')).toBe(true)
  for (const name of ['toString', '__proto__', '', null, undefined])
    expect(isKind(name)).toBe(false)
})

test('a state of a newer server has a look', () => {
  expect(stateLook('task', 'done').color).toBe('done')
  expect(stateLook('task', 'paused').icon).toBe('radioUnchecked')
})

test('mediations alone are read when asked for', () => {
  expect(KIND_NAMES.filter(isNarrow)).toEqual(['mediation'])
  expect(isNarrow(null)).toBe(false)
})
