// Small data for the tests beside this file.
import type { Grid, GridMap, Patrol, PatrolDetail, Segment } from '@/api/types'

export function grid(id: string, parent: string | null, level: Grid['level'], name: string): Grid {
  return { id, parent, code: `code-${id}`, level, name, synthetic: level !== 'district' }
}

export function patrol(id: string, change: Partial<Patrol> = {}): Patrol {
  return {
    id,
    worker: { id: `w-${id}`, name: '张伟' },
    grid: { id: 'g', code: '371302003001001', name: '第一网格' },
    status: 'finished',
    started_ms: 0,
    ended_ms: 1000,
    distance_m: 100,
    moving_s: 60,
    fixes: 60,
    gaps: 0,
    gap_s: 0,
    bbox: null,
    ...change,
  }
}

export function detail(segments: Segment[], change: Partial<PatrolDetail> = {}): PatrolDetail {
  return {
    patrol: patrol('p'),
    tolerance_m: 5,
    segments,
    gaps: [],
    stops: [],
    incidents: [],
    coverage: { due: 0, met: 0, inside_s: null, outside_s: null, sites: [], units: [], visits: [] },
    ...change,
  }
}

/** A map of square grids: id, parent, level, name, west, south, side in degrees. */
export function squares(list: [Grid, west: number, south: number, side: number][]): GridMap {
  return {
    type: 'FeatureCollection',
    features: list.map(([properties, west, south, side]) => ({
      type: 'Feature',
      properties,
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [west, south],
            [west + side, south],
            [west + side, south + side],
            [west, south + side],
            [west, south],
          ],
        ],
      },
    })),
  }
}
