// tokens.json → CSS custom properties, served to the page as the virtual module
// `virtual:tokens.css`. Light is the default; dark follows the system unless
// the reader chose a theme, which main.ts writes on <html data-theme>.
import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

interface Pair {
  light: string
  dark: string
}

export interface Tokens {
  color: Record<string, Pair>
  space: number[]
  radius: Record<string, number>
  type: { page: Record<string, number>; 'line-height': number }
  size: Record<string, number>
}

/** The custom properties of one theme, one declaration a line. */
function colors(tokens: Tokens, theme: keyof Pair): string {
  return [
    `color-scheme: ${theme};`,
    ...Object.entries(tokens.color).map(([name, pair]) => `--${name}: ${pair[theme]};`),
  ].join('\n')
}

/** The style sheet made from the tokens. */
export function tokensToCss(tokens: Tokens): string {
  const sizes = [
    ...tokens.space.map((px, step) => `--space-${step}: ${px}px;`),
    ...Object.entries(tokens.radius).map(([name, px]) => `--radius-${name}: ${px}px;`),
    ...Object.entries(tokens.type.page).map(([name, px]) => `--text-${name}: ${px}px;`),
    `--line-height: ${tokens.type['line-height']};`,
    ...Object.entries(tokens.size)
      .filter(([name]) => !name.startsWith('phone-'))
      .map(([name, px]) => `--size-${name}: ${px}px;`),
  ].join('\n')
  const dark = colors(tokens, 'dark')
  return `:root {\n${sizes}\n${colors(tokens, 'light')}\n}
@media (prefers-color-scheme: dark) {\n:root:not([data-theme='light']) {\n${dark}\n}\n}
:root[data-theme='dark'] {\n${dark}\n}\n`
}

const NAME = 'virtual:tokens.css'
const RESOLVED = '\0tokens.css'

/** Vite plugin that serves the style sheet and follows edits of the file. */
export function tokensPlugin(file: string): Plugin {
  return {
    name: 'gridwalk-tokens',
    resolveId: (id) => (id === NAME ? RESOLVED : null),
    load(id) {
      if (id !== RESOLVED) return null
      this.addWatchFile(file)
      return tokensToCss(JSON.parse(readFileSync(file, 'utf8')) as Tokens)
    },
  }
}
