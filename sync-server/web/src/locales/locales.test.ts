// The two languages say the same things, and every text is used.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { THIN } from '../format/space'
import en from './en.json'
import zh from './zh.json'

interface Tree {
  [key: string]: string | Tree
}

function flat(tree: Tree, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]): [string, string][] =>
      typeof value === 'string'
        ? [[prefix + key, value]]
        : [...flat(value, `${prefix}${key}.`).entries()],
    ),
  )
}

const texts = { zh: flat(zh), en: flat(en) }
const parameters = (text = ''): string[] =>
  [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort()

test('both have the same keys, in the same order', () => {
  expect([...texts.en.keys()]).toEqual([...texts.zh.keys()])
})

test('both take the same parameters', () => {
  // English leaves out what Chinese needs only for a date's year, and the reverse.
  for (const [key, text] of texts.zh) {
    expect([key, parameters(texts.en.get(key))]).toEqual([key, parameters(text)])
  }
})

test('no text is empty, and Chinese has no Latin spacing of its own', () => {
  for (const [key, text] of [...texts.zh, ...texts.en])
    expect([key, text.trim()]).not.toEqual([key, ''])
  const own = new RegExp(
    `[\\u4e00-\\u9fff][ ${THIN}][A-Za-z0-9{]|[A-Za-z0-9}][ ${THIN}][\\u4e00-\\u9fff]`,
  )
  for (const [key, text] of texts.zh) expect([key, own.test(text)]).toEqual([key, false])
})

test('every key is used somewhere', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|vue)$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  const unused = [...texts.zh.keys()].filter((key) => {
    if (sources.includes(`'${key}'`)) return false
    // Keys made with a template: `cause.${…}`, `trouble.${…}_next`.
    const parent = key.slice(0, key.lastIndexOf('.') + 1)
    return !sources.includes(`\`${parent}`)
  })
  expect(unused).toEqual([])
})
