// Where the worker was at a moment of the patrol. Between two points of a
// segment the way is straight and even, as the simplification promises; in a
// gap nobody knows.
import type { Gap, LonLat, PatrolDetail, Segment } from '@/api/types'

export type Whereabouts = { kind: 'known'; at: LonLat } | { kind: 'gap'; gap: Gap | null }

export interface ReplaySpan {
  fromMs: number
  toMs: number
}

/** The time a patrol's replay covers; null where it has no points. */
export function replaySpan(detail: PatrolDetail): ReplaySpan | null {
  const times = detail.segments.flatMap((segment) => {
    const first = segment.points[0]
    const last = segment.points[segment.points.length - 1]
    return first && last ? [first[2], last[2]] : []
  })
  if (times.length === 0) return null
  return { fromMs: Math.min(...times), toMs: Math.max(...times) }
}

function within(segment: Segment, ms: number): LonLat | null {
  const { points } = segment
  let low = 0
  let high = points.length - 1
  const first = points[low]
  const last = points[high]
  if (!first || !last || ms < first[2] || ms > last[2]) return null
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((points[middle]?.[2] ?? 0) <= ms) low = middle
    else high = middle
  }
  const a = points[low]
  const b = points[high]
  if (!a || !b) return null
  const share = b[2] === a[2] ? 0 : (ms - a[2]) / (b[2] - a[2])
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
}

/** Where the worker was at the time. */
export function whereabouts(detail: PatrolDetail, ms: number): Whereabouts {
  for (const segment of detail.segments) {
    const at = within(segment, ms)
    if (at) return { kind: 'known', at }
  }
  const gap = detail.gaps.find((each) => each.from_ms <= ms && ms <= each.to_ms)
  return { kind: 'gap', gap: gap ?? null }
}
