// Wishes of other parts of the page about where the map should look.
import { shallowRef } from 'vue'
import type { Bounds } from '@/geo/bounds'

/**
 * `always` moves in any case; `seen` where the box is out of sight or too small
 * to be made out; `inside` only where it is out of sight.
 */
export type Look = 'always' | 'seen' | 'inside'

export interface ViewWish {
  bounds: Bounds
  how: Look
}

export const viewWish = shallowRef<ViewWish | null>(null)

/** Asks the map to show a box. */
export function show(bounds: Bounds | null, how: Look = 'seen'): void {
  if (bounds) viewWish.value = { bounds, how }
}
