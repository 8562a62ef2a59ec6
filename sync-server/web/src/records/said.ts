// What a record says, in words: a value of the wire by what it is.
export type SaidAs = 'text' | 'long' | 'word' | 'time' | 'person' | 'dated' | 'session'

/** What it takes to say something. */
export interface Tools {
  /** A word of the wire in the reader's language; itself where it is not known. */
  word: (word: string) => string
  date: (ms: number) => string
  day: (day: string) => string
  and: string
}

interface Person {
  name?: string
  phone?: string
  note?: string
}

const person = (value: Person): string[] => [value.name, value.phone, value.note].filter(isText)
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isNumber = (value: unknown): value is number => typeof value === 'number'

/** In lines: the first says what it is, the others more. Empty where it makes no sense. */
export function said(as: SaidAs, value: unknown, tools: Tools): string[] {
  if (as === 'time') return isNumber(value) ? [tools.date(value)] : []
  if (as === 'word') return isText(value) ? [tools.word(value)] : []
  if (as === 'text' || as === 'long') return isText(value) ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  const part = value as Record<string, unknown>
  if (as === 'person') {
    const parts = person(part)
    return parts.length ? [parts.join(' · ')] : []
  }
  if (as === 'dated') {
    return isText(part.date) ? [tools.day(part.date), part.note].filter(isText) : []
  }
  if (!isNumber(part.from_ms)) return []
  const present = Array.isArray(part.present) ? (part.present as Person[]) : []
  const head = [tools.date(part.from_ms), part.where].filter(isText).join(' · ')
  const names = present.map((each) => each.name).filter(isText)
  return [head, names.join(tools.and), part.said].filter(isText)
}
