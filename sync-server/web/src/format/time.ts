// Times in the district's zone, which the server names as an offset from UTC.
// The browser's own zone never matters: the offset is added and the UTC parts
// of the shifted time are read.

const MINUTE = 60_000
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const two = (n: number): string => String(n).padStart(2, '0')

function shifted(ms: number, offsetMin: number): Date {
  return new Date(ms + offsetMin * MINUTE)
}

/** `10:32` */
export function clock(ms: number, offsetMin: number): string {
  const d = shifted(ms, offsetMin)
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`
}

/** `10:32:05` */
export function clockSeconds(ms: number, offsetMin: number): string {
  return `${clock(ms, offsetMin)}:${two(shifted(ms, offsetMin).getUTCSeconds())}`
}

/** The calendar day, `2026-11-21`. */
export function dayOf(ms: number, offsetMin: number): string {
  return shifted(ms, offsetMin).toISOString().slice(0, 10)
}

/** `UTC+8`, `UTC+5:30`, `UTC−3` */
export function zoneName(offsetMin: number): string {
  const abs = Math.abs(offsetMin)
  const minutes = abs % 60 === 0 ? '' : `:${two(abs % 60)}`
  return `UTC${offsetMin < 0 ? '−' : '+'}${Math.floor(abs / 60)}${minutes}`
}

/** Everything known of the moment, for hover: `2026-11-21 10:32:05 UTC+8`. */
export function exact(ms: number, offsetMin: number): string {
  return `${dayOf(ms, offsetMin)} ${clockSeconds(ms, offsetMin)} ${zoneName(offsetMin)}`
}

export type Age =
  | { unit: 'now' }
  | { unit: 'minutes' | 'hours'; n: number }
  /** Older than a day, or ahead of the clock: to be written as a date. */
  | { unit: 'date' }

/** How long ago a moment is; the words belong to the language. */
export function age(ms: number, nowMs: number): Age {
  const past = nowMs - ms
  // A little ahead is the difference between two clocks, not the future.
  if (past < -MINUTE) return { unit: 'date' }
  if (past < MINUTE) return { unit: 'now' }
  if (past < HOUR) return { unit: 'minutes', n: Math.floor(past / MINUTE) }
  if (past < DAY) return { unit: 'hours', n: Math.floor(past / HOUR) }
  return { unit: 'date' }
}

export interface Span {
  hours: number
  minutes: number
  seconds: number
}

/** A length of time cut into parts; seconds only below one minute. */
export function span(seconds: number): Span {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return { hours: 0, minutes: 0, seconds: s }
  const minutes = Math.round(s / 60)
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60, seconds: 0 }
}

/** Whether a text is a real calendar day. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const ms = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** The day so many days later (or earlier). */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10)
}

/** The day of the week, Monday 0 to Sunday 6. */
export function weekday(day: string): number {
  return (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7
}

/** The days a month's sheet shows: whole weeks from Monday. */
export function monthSheet(month: string): string[] {
  const first = `${month}-01`
  const start = addDays(first, -weekday(first))
  const next = addDays(first, 31).slice(0, 7)
  const sheet: string[] = []
  for (let day = start; day.slice(0, 7) < next || sheet.length % 7 !== 0; day = addDays(day, 1)) {
    sheet.push(day)
  }
  return sheet
}
