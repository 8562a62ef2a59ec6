// What is chosen, as the address says it. Everything a supervisor would want
// to send to a colleague is in the query; defaults are left out.
import { isDay } from '@/format/time'
import { isKind, KIND_NAMES, type KindName } from '@/records/kinds'

export type Kind = 'patrol' | 'incident' | 'worker' | KindName
export type ListName = 'patrols' | 'incidents' | 'sites' | 'records' | 'workers'

export interface Choice {
  /** `YYYY-MM-DD`; null is the latest day that has something. */
  day: string | null
  /** A grid's id; null is the user's own. */
  grid: string | null
  chosen: { kind: Kind; id: string } | null
  /** A gap or a stop of the chosen patrol, by its place in the list. */
  part: { kind: 'gap' | 'stop'; index: number } | null
  list: ListName
  /** The kind of which alone records are listed. */
  only: KindName | null
}

const KINDS: readonly Kind[] = ['patrol', 'incident', 'worker', ...KIND_NAMES]
const LISTS: readonly ListName[] = ['patrols', 'incidents', 'sites', 'records', 'workers']

export const NOTHING: Choice = {
  day: null,
  grid: null,
  chosen: null,
  part: null,
  list: 'patrols',
  only: null,
}

function partOf(text: string | null): Choice['part'] {
  const match = /^(gap|stop)-(\d{1,4})$/.exec(text ?? '')
  if (!match) return null
  return { kind: match[1] as 'gap' | 'stop', index: Number(match[2]) }
}

/** Reads the query of an address; what makes no sense is left out. */
export function parseChoice(search: string): Choice {
  const query = new URLSearchParams(search)
  const day = query.get('day')
  const kind = KINDS.find((name) => query.get(name))
  const list = LISTS.find((name) => name === query.get('list'))
  const only = query.get('only')
  return {
    day: day && isDay(day) ? day : null,
    grid: query.get('grid') ?? null,
    chosen: kind ? { kind, id: query.get(kind) ?? '' } : null,
    part: kind === 'patrol' ? partOf(query.get('part')) : null,
    list: list ?? 'patrols',
    only: isKind(only) ? only : null,
  }
}

/** The query of a choice, with its question mark; empty where all is default. */
export function formatChoice(choice: Choice): string {
  const query = new URLSearchParams()
  if (choice.day) query.set('day', choice.day)
  if (choice.grid) query.set('grid', choice.grid)
  if (choice.list !== 'patrols') query.set('list', choice.list)
  if (choice.only) query.set('only', choice.only)
  if (choice.chosen) query.set(choice.chosen.kind, choice.chosen.id)
  if (choice.part) query.set('part', `${choice.part.kind}-${choice.part.index}`)
  const text = query.toString()
  return text ? `?${text}` : ''
}
