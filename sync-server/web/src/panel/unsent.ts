import type { Unsent } from '@/api/types'

/** How many things a phone still has to send; null where it was never heard from. */
export function unsentCount(unsent: Unsent | null): number | null {
  return unsent && unsent.ops + unsent.chunks + unsent.blobs
}
