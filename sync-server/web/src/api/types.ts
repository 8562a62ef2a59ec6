// The answers of the page's API, as docs/api.md describes them. Every `_ms` is
// milliseconds since 1970 (UTC); positions in arrays are longitude, latitude.
import type { KindName } from '@/records/kinds'

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

/** A worker, a user, or the server itself (`server`, without a name). */
export type Who = WorkerRef

export interface Text {
  zh: string
  en: string
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

/** To whom an incident is dispatched. */
export interface Assignee {
  sort: 'worker' | 'department' | 'team'
  name: string | null
}

export interface Step<State extends string = string> {
  from: State | null
  to: State
  by: Who
  at_ms: number
  reason: string | null
  with: { note?: string; agreement?: string; cause?: string; limit_ms?: number }
  /** The grid that it sends an incident up to, where the user sees that. */
  holder: GridRef | null
  assignee: Assignee | null
  photos: Photo[]
}

export interface Comment {
  by: Who
  at_ms: number
  text: string
}

/** A question of a report's form and its answer, in the words of the report's catalogue. */
export interface Answered {
  question: Text
  kind:
    | 'text'
    | 'number'
    | 'choice'
    | 'many'
    | 'date'
    | 'place'
    | 'person'
    | 'photo'
    | 'signature'
    | 'unknown'
  value: unknown
  choices: Text[]
  unit: Text | null
  photos: Photo[]
}

export interface IncidentDetail {
  incident: Incident
  description: string
  address: string | null
  class: { category: Text | null; subcategory: Text | null }
  answers: Answered[]
  photos: Photo[]
  /** Null where a grid holds it that stands above the user's. */
  holder: GridRef | null
  assignee: Assignee | null
  /** What may be of the same thing, the nearest first. */
  duplicates: { incident: Incident; apart_m: number }[]
  history: Step<IncidentStatus>[]
  comments: Comment[]
}

/** A record of a kind that needs no screen of its own, in a list. */
export interface RecordRow {
  id: string
  kind: KindName
  title: string
  /** Null where its kind has none. */
  status: string | null
  /** Whom it names; null for one that is for everybody. */
  worker: WorkerRef | null
  by: Who
  grid: GridRef
  at_ms: number
  due_ms: number | null
  overdue: boolean
}

export interface Records {
  date: string
  grid: string
  now_ms: number
  records: RecordRow[]
}

export interface RecordLink {
  kind: 'patrol' | 'incident' | 'task'
  id: string
}

export interface Entry {
  by: Who
  at_ms: number
  value: unknown
}

export interface RecordDetail {
  record: RecordRow
  fields: Partial<Record<string, unknown>>
  lists: Partial<Record<string, Entry[]>>
  sets: Partial<Record<string, Entry[]>>
  /** The records that it names, by field, where the user sees them. */
  links: Record<string, RecordLink>
  photos: Photo[]
  history: Step[]
  comments: Comment[]
  /** Who read it; null where nobody says so of this kind. */
  read_by: { worker: WorkerRef; at_ms: number }[] | null
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
