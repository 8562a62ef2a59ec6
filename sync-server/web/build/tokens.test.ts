import { describe, expect, test } from 'vitest'
import tokens from '../tokens.json'
import { tokensToCss } from './tokens.ts'

/** WCAG's relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}

const inks = Object.keys(tokens.color).filter(
  (name) => !['ground', 'surface', 'line', 'on-color'].includes(name),
) as (keyof typeof tokens.color)[]

describe.each(['light', 'dark'] as const)('%s', (theme) => {
  test.each(inks)('%s can be read on both grounds', (name) => {
    for (const ground of ['ground', 'surface'] as const) {
      const ratio = contrast(tokens.color[name][theme], tokens.color[ground][theme])
      expect(ratio).toBeGreaterThanOrEqual(5)
    }
  })
  test.each(inks.filter((name) => name !== 'ink' && name !== 'muted'))(
    'what is written on %s can be read',
    (name) => {
      const ratio = contrast(tokens.color['on-color'][theme], tokens.color[name][theme])
      expect(ratio).toBeGreaterThanOrEqual(5)
    },
  )
})

test('the style sheet has every colour three times: light, by system, by choice', () => {
  const css = tokensToCss(tokens)
  for (const [name, pair] of Object.entries(tokens.color)) {
    expect(css.split(`--${name}: ${pair.light};`)).toHaveLength(2)
    expect(css.split(`--${name}: ${pair.dark};`)).toHaveLength(3)
  }
  expect(css).toContain('--space-1: 4px;')
  expect(css).toContain('--text-figure: 28px;')
  expect(css).not.toContain('phone')
})
