// What lies under the pointer.
import type { Map as MapLibre, PointLike } from 'maplibre-gl'
import type { Route } from '@/api/types'
import { nearestRoute } from '@/geo/nearest'
import type { Choice } from '@/state/url'

export type Hit =
  | { kind: 'patrol' | 'incident' | 'worker'; id: string }
  | { kind: 'part'; part: NonNullable<Choice['part']> }

/** How far from a thin line a click may be and still mean it, in pixels. */
const REACH = 6

const ORDER = [
  'incidents',
  'workers',
  'stops',
  'gaps-reach',
  'chosen-line',
  'routes-thin',
  'routes-line',
  'routes-rounds',
  'routes-ends',
]

export function hitAt(
  map: MapLibre,
  at: { x: number; y: number },
  routes: Route[],
  patrol: string | null,
): Hit | null {
  const box: [PointLike, PointLike] = [
    [at.x - REACH, at.y - REACH],
    [at.x + REACH, at.y + REACH],
  ]
  const found = map.queryRenderedFeatures(box, { layers: ORDER.filter((id) => map.getLayer(id)) })
  const first = (...layers: string[]) => found.find((f) => layers.includes(f.layer.id))?.properties

  const incident = first('incidents')
  if (incident) return { kind: 'incident', id: String(incident.id) }
  const worker = first('workers')
  if (worker) return { kind: 'worker', id: String(worker.id) }
  const stop = first('stops')
  if (stop) return { kind: 'part', part: { kind: 'stop', index: Number(stop.index) } }
  if (patrol && first('chosen-line')) return { kind: 'patrol', id: patrol }
  const gap = first('gaps-reach')
  if (gap) return { kind: 'part', part: { kind: 'gap', index: Number(gap.index) } }

  const candidates = new Set(
    found.filter((f) => 'patrol' in f.properties).map((f) => String(f.properties.patrol)),
  )
  const { lng, lat } = map.unproject([at.x, at.y])
  const id = nearestRoute([lng, lat], routes, candidates)
  return id ? { kind: 'patrol', id } : null
}
