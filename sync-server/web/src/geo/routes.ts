// Routes as the map draws them. A route is walked segments; between two
// segments nothing is drawn but the two open ends, because nobody knows what
// was walked there.
import type { Gap, LonLat, Patrol, PatrolDetail, Route, Stop } from '@/api/types'

export type MarkKind = 'start' | 'end' | 'latest' | 'open'

type Features<G extends GeoJSON.Geometry> = GeoJSON.FeatureCollection<G>

export interface RouteShapes {
  lines: Features<GeoJSON.MultiLineString>
  marks: Features<GeoJSON.Point>
}

const collection = <G extends GeoJSON.Geometry>(features: GeoJSON.Feature<G>[]): Features<G> => ({
  type: 'FeatureCollection',
  features,
})

/** Nothing to draw. */
export const NOTHING: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }

export const NO_SHAPES: RouteShapes = { lines: collection([]), marks: collection([]) }

function point(at: LonLat, properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature<GeoJSON.Point> {
  return { type: 'Feature', geometry: { type: 'Point', coordinates: at }, properties }
}

/** Start, end and the open ends of the gaps of one route. */
function marksOf(
  segments: LonLat[][],
  patrol: string,
  finished: boolean,
): GeoJSON.Feature<GeoJSON.Point>[] {
  return segments.flatMap((segment, index) => {
    const first = segment[0]
    const last = segment[segment.length - 1]
    if (!first || !last) return []
    const isLast = index === segments.length - 1
    const end: MarkKind = isLast ? (finished ? 'end' : 'latest') : 'open'
    return [
      point(first, { kind: index === 0 ? 'start' : 'open', patrol }),
      point(last, { kind: end, patrol }),
    ]
  })
}

/** A line needs two points; a lone fix is shown by its marks alone. */
const drawable = (segments: LonLat[][]): LonLat[][] =>
  segments.filter((segment) => segment.length > 1)

/** All routes of a day. */
export function routeShapes(routes: Route[], patrols: Patrol[]): RouteShapes {
  const status = new Map(patrols.map((patrol) => [patrol.id, patrol.status]))
  const lines = routes.map((route): GeoJSON.Feature<GeoJSON.MultiLineString> => ({
    type: 'Feature',
    geometry: { type: 'MultiLineString', coordinates: drawable(route.segments) },
    properties: { patrol: route.patrol },
  }))
  const marks = routes.flatMap((route) =>
    marksOf(
      route.segments.filter((segment) => segment.length > 0),
      route.patrol,
      status.get(route.patrol) === 'finished',
    ),
  )
  return { lines: collection(lines), marks: collection(marks) }
}

export const segmentsOf = (detail: PatrolDetail): LonLat[][] =>
  detail.segments
    .map((segment) => segment.points.map(([lon, lat]): LonLat => [lon, lat]))
    .filter((segment) => segment.length > 0)

/** The chosen route, from the patrol's own detail. */
export function chosenShapes(detail: PatrolDetail): RouteShapes {
  const segments = segmentsOf(detail)
  const line: GeoJSON.Feature<GeoJSON.MultiLineString> = {
    type: 'Feature',
    geometry: { type: 'MultiLineString', coordinates: drawable(segments) },
    properties: { patrol: detail.patrol.id },
  }
  return {
    lines: collection([line]),
    marks: collection(marksOf(segments, detail.patrol.id, detail.patrol.status === 'finished')),
  }
}

/** Gaps whose both ends are known, as the lines that a hover or choice shows. */
export function gapLines(gaps: Gap[], words: (gap: Gap) => string): Features<GeoJSON.LineString> {
  const features = gaps.flatMap((gap, index): GeoJSON.Feature<GeoJSON.LineString>[] =>
    gap.from && gap.to
      ? [
          {
            type: 'Feature',
            geometry: { type: 'LineString', coordinates: [gap.from, gap.to] },
            properties: { index, text: words(gap) },
          },
        ]
      : [],
  )
  return collection(features)
}

/** Where a gap's words are written: half-way between its ends. */
export function gapLabel(gap: Gap): LonLat | null {
  if (!gap.from || !gap.to) return gap.from ?? gap.to
  return [(gap.from[0] + gap.to[0]) / 2, (gap.from[1] + gap.to[1]) / 2]
}

/** From how many seconds on a stop bears its length in writing. */
const WRITTEN_FROM_S = 300

export interface StopProperties {
  index: number
  radius: number
  text: string
}

/** A stop's disc grows with the root of its length: area goes with time. */
export function stopRadius(seconds: number): number {
  const radius = 4 + 2.2 * Math.sqrt(Math.max(0, seconds) / 60)
  const written = seconds >= WRITTEN_FROM_S ? 13 : 4
  return Math.round(Math.min(24, Math.max(written, radius)) * 10) / 10
}

/** Minutes with the minute sign, hours before them: `12′`, `1h05′`. */
export function stopText(seconds: number): string {
  if (seconds < WRITTEN_FROM_S) return ''
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes}′`
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}′`
}

export function stopPoints(stops: Stop[]): Features<GeoJSON.Point> {
  return collection(
    stops.map((stop, index) => {
      const seconds = (stop.to_ms - stop.from_ms) / 1000
      const properties: StopProperties = {
        index,
        radius: stopRadius(seconds),
        text: stopText(seconds),
      }
      return point(stop.at, properties)
    }),
  )
}
