// The answers of the page's API, as docs/api.md describes them. Every `_ms` is
// milliseconds since 1970 (UTC); positions in arrays are longitude, latitude.

export type LonLat = [lon: number, lat: number]
export type Role =
  'community' | 'town' | 'district' | 'department' | 'team' | 'system' | 'administrator'
export type Level = 'district' | 'town' | 'community' | 'base'

export interface Grid {
  id: string
  parent: string | null
  code: string
  level: Level
  name: string
  synthetic: boolean
}

export interface GridRef {
  id: string
  code: string
  name: string
}

export interface WorkerRef {
  id: string
  name: string
}

export interface Me {
  id: string
  name: string
  role: Role
  grid: Grid
  utc_offset_min: number
  now_ms: number
  latest_day: string | null
  notice: { zh: string; en: string } | null
}

export interface Catalogue {
  version: number
  categories: { code: string; name: { zh: string; en: string } }[]
}

export type PatrolStatus = 'active' | 'paused' | 'finished'

export interface Patrol {
  id: string
  worker: WorkerRef
  grid: GridRef
  status: PatrolStatus
  started_ms: number
  ended_ms: number | null
  distance_m: number
  moving_s: number
  fixes: number
  gaps: number
  gap_s: number
  bbox: [west: number, south: number, east: number, north: number] | null
}

export type GapCause =
  | 'paused'
  | 'app_killed'
  | 'permission_off'
  | 'location_off'
  | 'battery_low'
  | 'phone_off'
  | 'no_signal'
  | 'unknown'

export interface Gap {
  from_ms: number
  to_ms: number
  cause: GapCause
  from: LonLat | null
  to: LonLat | null
}

export interface Stop {
  from_ms: number
  to_ms: number
  at: LonLat
}

export interface Segment {
  points: [lon: number, lat: number, t_ms: number][]
}

export type SiteEvery = 'patrol' | 'day' | 'week'

/** A place that must be visited. */
export interface Site {
  id: string
  name: string
  /** What it is: a word such as `market`. */
  sort: string | null
  grid: GridRef
  at: LonLat
  radius_m: number
  every: SiteEvery
  times: number
}

export interface Visit {
  at_ms: number
  patrol: string | null
  by: 'route' | 'hand'
  away_m: number | null
}

/** Why a site was not visited often enough. */
export type Reason =
  | { why: 'said'; word: string; note?: string | null }
  | { why: 'not_yet' | 'too_few' | 'no_patrol' | 'vague' }
  | { why: 'gap'; cause: GapCause }
  | { why: 'not_near'; closest_m?: number | null }

/** A site and one thing that it was due in. */
export interface Unit {
  site: string
  period: SiteEvery
  patrol: string | null
  times: number
  met: boolean
  visits: Visit[]
  reason: Reason | null
}

export interface Counts {
  due: number
  met: number
}

export interface PatrolCoverage extends Counts {
  inside_s: number | null
  outside_s: number | null
  sites: Site[]
  units: Unit[]
  visits: ({ site: string } & Visit)[]
}

export interface Coverage {
  date: string
  grid: string
  now_ms: number
  day: Counts
  week: ({ from: string; to: string } & Counts) | null
  sites: Site[]
  units: Unit[]
}

export interface PatrolDetail {
  patrol: Patrol
  tolerance_m: number
  segments: Segment[]
  gaps: Gap[]
  stops: Stop[]
  incidents: Incident[]
  coverage: PatrolCoverage
}

export type IncidentStatus =
  | 'reported'
  | 'handled_on_site'
  | 'escalated'
  | 'accepted'
  | 'dispatched'
  | 'in_progress'
  | 'resolved'
  | 'verified'
  | 'closed'
  | 'rejected'

export type Severity = 'minor' | 'normal' | 'serious' | 'urgent'

export interface Incident {
  id: string
  category: string
  title: string
  status: IncidentStatus
  severity: Severity
  worker: WorkerRef
  grid: GridRef
  at_ms: number
  place: { lat: number; lon: number; accuracy_m: number | null } | null
  photos: number
  patrol: string | null
  conflicts: number
  /** When the limit of its status passes; null where none runs. */
  due_ms: number | null
  /** Past that limit, by the server's word. */
  overdue: boolean
}

export interface Photo {
  sha256: string
  mime: string
  bytes: number
  /** Whether the server already holds the bytes. */
  here: boolean
}

export interface IncidentDetail {
  incident: Incident
  description: string
  photos: Photo[]
  history: {
    from: IncidentStatus | null
    to: IncidentStatus
    by: WorkerRef
    at_ms: number
    reason: string | null
  }[]
  comments: { by: WorkerRef; at_ms: number; text: string }[]
}

export interface Unsent {
  ops: number
  chunks: number
  blobs: number
  oldest_ms: number | null
  reported_ms: number
}

export interface Worker {
  id: string
  name: string
  grids: GridRef[]
  on_shift: boolean
  last_contact_ms: number | null
  unsent: Unsent | null
  last_position: { lat: number; lon: number; at_ms: number } | null
}

export interface Day {
  date: string
  grid: string
  now_ms: number
  patrols: Patrol[]
  incidents: Incident[]
}

export interface Route {
  patrol: string
  worker: string
  segments: LonLat[][]
}

export type GridMap = GeoJSON.FeatureCollection<GeoJSON.Polygon | GeoJSON.MultiPolygon, Grid>
