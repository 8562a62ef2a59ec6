// The tokens as the map needs them: plain colours of the theme in force.
import tokens from '../../tokens.json'
import type { Theme } from '@/state/preferences'

export const ROUTE = tokens.route

export type ColorName = keyof typeof tokens.color
type MapColorName = keyof typeof tokens.map

export type Palette = Record<ColorName | MapColorName, string>

export function palette(theme: Theme): Palette {
  const pairs = { ...tokens.color, ...tokens.map }
  return Object.fromEntries(
    Object.entries(pairs).map(([name, pair]) => [name, pair[theme]]),
  ) as Palette
}
