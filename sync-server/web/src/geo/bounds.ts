// Boxes around things on the map: west, south, east, north in degrees.
import type { LonLat } from '@/api/types'

export type Bounds = [west: number, south: number, east: number, north: number]

/** The smallest box around all positions; null where there are none. */
export function boundsOf(positions: Iterable<readonly number[]>): Bounds | null {
  let box: Bounds | null = null
  for (const [lon, lat] of positions as Iterable<LonLat>) {
    box ??= [lon, lat, lon, lat]
    box[0] = Math.min(box[0], lon)
    box[1] = Math.min(box[1], lat)
    box[2] = Math.max(box[2], lon)
    box[3] = Math.max(box[3], lat)
  }
  return box
}

/** The smallest box around all the boxes. */
export function union(boxes: (Bounds | null)[]): Bounds | null {
  const corners = boxes.flatMap((box) =>
    box ? [[box[0], box[1]] as LonLat, [box[2], box[3]] as LonLat] : [],
  )
  return boundsOf(corners)
}

/** Whether the inner box lies wholly within the outer. */
export function contains(outer: Bounds, inner: Bounds): boolean {
  return (
    outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3]
  )
}

/** All positions of a polygon's outer rings. */
export function ringsOf(geometry: GeoJSON.Polygon | GeoJSON.MultiPolygon): GeoJSON.Position[] {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
  return polygons.flatMap((rings) => rings[0] ?? [])
}
