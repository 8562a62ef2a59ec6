// Where a grid's name is written, and from which zoom on it fits: inside its
// polygon, beside the routes that run through it.
import polylabel from 'polylabel'
import type { Grid, GridMap, Level, LonLat } from '@/api/types'
import { boundsOf, type Bounds } from './bounds'

/** Pixels that the whole world is wide at zoom 0. */
const WORLD_PX = 512
/** Names are wider than high: room is measured with the width squeezed by this. */
const FLAT = 0.5
/** How much more room than its own size a name takes. */
const FIT = 1.15
/** So many places are tried each way for a name that a route runs through. */
const TRIES = 14

export const LABEL_PX: Record<Level, number> = { district: 16, town: 16, community: 14, base: 14 }

export interface LabelProperties extends Grid {
  /** The zoom from which on the name fits. */
  from: number
  /** The zoom from which on the grids below take its place. */
  until: number
}

type Flat = [x: number, y: number]
interface Room {
  at: Flat
  /** The distance to what is nearest. */
  radius: number
}

/** A village's or community's name without the words all of them share. */
export function shortName(name: string): string {
  const short = name.replace(/村?村民委员会$|村?村委会$/u, '村').replace(/居民委员会$|居委会$/u, '')
  return short || name
}

/**
 * A grid's name as it is written inside its parent: what the parent's name
 * already says is left out.
 */
export function nameBelow(name: string, parent: string | undefined): string {
  const short = shortName(name)
  const above = parent ? shortName(parent) : ''
  return above && short.startsWith(above) && short !== above ? short.slice(above.length) : short
}

/** The width of a text in pixels, roughly: Chinese is square, Latin half of it. */
function widthOf(text: string, size: number): number {
  let ems = 0
  for (const character of text) ems += /\p{Script=Han}/u.test(character) ? 1 : 0.56
  return ems * size
}

/** The polygon with the longest edge, of one grid. */
function largest(geometry: GeoJSON.Polygon | GeoJSON.MultiPolygon): GeoJSON.Position[][] {
  if (geometry.type === 'Polygon') return geometry.coordinates
  return geometry.coordinates.reduce((a, b) => ((b[0]?.length ?? 0) > (a[0]?.length ?? 0) ? b : a))
}

function toStretch([px, py]: Flat, [ax, ay]: Flat, [bx, by]: Flat): number {
  const [dx, dy] = [bx - ax, by - ay]
  const length = dx * dx + dy * dy
  const share =
    length === 0 ? 0 : Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length))
  return Math.hypot(px - ax - share * dx, py - ay - share * dy)
}

/** How far the point lies inside the rings; below zero outside. */
function depth(point: Flat, rings: Flat[][]): number {
  let crossings = 0
  let nearest = Infinity
  for (const ring of rings) {
    ring.forEach((b, i) => {
      const a = ring[i - 1]
      if (!a) return
      if (a[1] > point[1] !== b[1] > point[1]) {
        const x = ((b[0] - a[0]) * (point[1] - a[1])) / (b[1] - a[1]) + a[0]
        if (point[0] < x) crossings += 1
      }
      nearest = Math.min(nearest, toStretch(point, a, b))
    })
  }
  return crossings % 2 === 1 ? nearest : -nearest
}

/** The place with the most room between the polygon's edge and the routes. */
function roomBeside(rings: Flat[][], lines: Flat[][], box: Bounds): Room {
  let best: Room = { at: [0, 0], radius: 0 }
  for (let i = 1; i < TRIES; i++) {
    for (let j = 1; j < TRIES; j++) {
      const at: Flat = [
        box[0] + ((box[2] - box[0]) * i) / TRIES,
        box[1] + ((box[3] - box[1]) * j) / TRIES,
      ]
      let radius = depth(at, rings)
      for (const line of lines) {
        line.forEach((end, k) => {
          radius = Math.min(radius, toStretch(at, line[k - 1] ?? end, end))
        })
      }
      if (radius > best.radius) best = { at, radius }
    }
  }
  return best
}

function mostRoom(rings: Flat[][]): Room {
  const point = polylabel(rings, 0.0003)
  return { at: [point[0], point[1]], radius: point.distance }
}

/** One point for each grid that can bear its name. */
export function gridLabels(
  map: GridMap,
  routes: LonLat[][],
): GeoJSON.FeatureCollection<GeoJSON.Point> {
  const names = new Map(map.features.map(({ properties }) => [properties.id, properties.name]))
  const lines = routes.map((line) => ({ line, box: boundsOf(line) }))
  const features: GeoJSON.Feature<GeoJSON.Point, LabelProperties>[] = []
  for (const { geometry, properties } of map.features) {
    if (properties.level === 'district') continue
    const polygon = largest(geometry)
    const box = boundsOf(polygon[0] ?? [])
    if (!box) continue
    // Degrees of longitude are shorter than those of latitude.
    const squeeze = Math.cos((box[1] * Math.PI) / 180)
    const flat = ([lon = 0, lat = 0]: readonly number[]): Flat => [lon * squeeze * FLAT, lat]
    const rings = polygon.map((ring) => ring.map(flat))
    const crossing =
      properties.level !== 'town'
        ? lines.filter(
            ({ box: b }) => b && b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1],
          )
        : []
    const room =
      crossing.length > 0
        ? roomBeside(
            rings,
            crossing.map(({ line }) => line.map(flat)),
            [...flat([box[0], box[1]]), ...flat([box[2], box[3]])],
          )
        : mostRoom(rings)
    if (room.radius <= 0) continue

    const name = nameBelow(properties.name, names.get(properties.parent ?? ''))
    const size = LABEL_PX[properties.level]
    const needed = Math.max((widthOf(name, size) / 2) * FLAT, size * 0.6) * FIT
    const from = Math.log2(needed / ((room.radius * WORLD_PX) / 360 / squeeze))
    features.push({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [room.at[0] / squeeze / FLAT, room.at[1]] },
      properties: {
        ...properties,
        name,
        from,
        until: properties.level === 'base' ? 24 : from + 3.5,
      },
    })
  }
  return { type: 'FeatureCollection', features }
}
