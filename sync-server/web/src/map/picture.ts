// From the page's state to the features of the map's sources. Pure, so that it
// can be tested without a map.
import type { Gap, GridMap, Incident, PatrolDetail, Worker } from '@/api/types'
import { gapLabel } from '@/geo/routes'
import { pathOf, type GridTree } from '@/geo/grids'
import { categoryKey } from '@/look'

/** From how many routes on they are drawn thin, adding up to a picture. */
export const MANY_ROUTES = 40

/** The grids, each with the ids of all above it, for filters by subtree. */
export function gridsWithPaths(map: GridMap, tree: GridTree): GridMap {
  return {
    type: 'FeatureCollection',
    features: map.features.map((feature) => {
      const node = tree.byId.get(feature.properties.id)
      const path = node ? pathOf(node).map((each) => each.grid.id) : [feature.properties.id]
      return { ...feature, properties: { ...feature.properties, path: path.join(' ') } }
    }),
  }
}

const collect = (
  features: GeoJSON.Feature<GeoJSON.Point>[],
): GeoJSON.FeatureCollection<GeoJSON.Point> => ({ type: 'FeatureCollection', features })

const pointAt = (
  lon: number,
  lat: number,
  properties: GeoJSON.GeoJsonProperties,
): GeoJSON.Feature<GeoJSON.Point> => ({
  type: 'Feature',
  geometry: { type: 'Point', coordinates: [lon, lat] },
  properties,
})

export function incidentPoints(incidents: Incident[]): GeoJSON.FeatureCollection {
  return collect(
    incidents.flatMap(({ id, place, category, overdue, patrol }) => {
      if (!place) return []
      const image = `incident-${categoryKey(category)}${overdue ? '-overdue' : ''}`
      return [pointAt(place.lon, place.lat, { id, image, patrol })]
    }),
  )
}

const MINUTE = 60_000

/** A position fades with its age; nothing old looks live. */
export function positionOpacity(ageMs: number): number {
  if (ageMs < 5 * MINUTE) return 1
  if (ageMs < 30 * MINUTE) return 0.75
  return ageMs < 120 * MINUTE ? 0.55 : 0.4
}

export function workerPoints(
  workers: Worker[],
  nowMs: number,
  words: (worker: Worker, atMs: number) => string,
): GeoJSON.FeatureCollection {
  return collect(
    workers.flatMap((worker) => {
      const last = worker.last_position
      if (!last) return []
      const opacity = positionOpacity(nowMs - last.at_ms)
      return [
        pointAt(last.lon, last.lat, { id: worker.id, opacity, text: words(worker, last.at_ms) }),
      ]
    }),
  )
}

/** The words of the one gap that is chosen or under the pointer. */
export function gapWords(
  detail: PatrolDetail,
  index: number | null,
  words: (gap: Gap) => string,
): GeoJSON.FeatureCollection {
  const gap = index === null ? undefined : detail.gaps[index]
  const at = gap && gapLabel(gap)
  return collect(gap && at ? [pointAt(at[0], at[1], { text: words(gap) })] : [])
}
