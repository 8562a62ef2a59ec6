// Which of several routes a click means: the one whose line passes nearest.
import type { LonLat, Route } from '@/api/types'

function distanceToStretch(p: LonLat, a: LonLat, b: LonLat): number {
  const dx = b[0] - a[0]
  const dy = b[1] - a[1]
  const length = dx * dx + dy * dy
  const share =
    length === 0 ? 0 : Math.min(1, Math.max(0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length))
  return Math.hypot(p[0] - a[0] - share * dx, p[1] - a[1] - share * dy)
}

/** The patrol among the candidates whose route is nearest to the position. */
export function nearestRoute(at: LonLat, routes: Route[], candidates: Set<string>): string | null {
  const squeeze = Math.cos((at[1] * Math.PI) / 180)
  const flat = ([lon, lat]: LonLat): LonLat => [lon * squeeze, lat]
  const here = flat(at)
  let best: string | null = null
  let bestDistance = Infinity
  for (const route of routes) {
    if (!candidates.has(route.patrol)) continue
    for (const segment of route.segments) {
      segment.forEach((end, index) => {
        const start = segment[index - 1] ?? end
        const distance = distanceToStretch(here, flat(start), flat(end))
        if (distance < bestDistance) {
          bestDistance = distance
          best = route.patrol
        }
      })
    }
  }
  return best
}
