// What the page shows of each kind of record, beside patrols and incidents,
// which have screens of their own. A new kind is one entry here, its words in
// the locales, and its line in the server's `page/kinds.rs`.
import type { IconName } from '@/icons'
import type { Look } from '@/look'
import type { SaidAs } from './said'

export interface RecordKind {
  icon: IconName
  /** Its title is the code of a category. */
  titleIsCategory?: boolean
  /** Every look at one is written down: it is read when somebody asks, never by itself. */
  narrow?: boolean
  /** Shape and colour of its states; their words are `recordState.<kind>_<state>`. */
  states: Record<string, Look>
  /** Its fields, in the order shown; their names are `recordField.<name>`. */
  fields: readonly (readonly [name: string, as: SaidAs])[]
  /** Its lists and sets, in the order shown; their headings are `recordList.<name>`. */
  lists: readonly (readonly [name: string, as: SaidAs])[]
}

const ADDRESS = ['address', 'text'] as const

export const KINDS = {
  task: {
    icon: 'assignment',
    states: {
      sent: { icon: 'send', color: 'waiting' },
      seen: { icon: 'visibility', color: 'waiting' },
      accepted: { icon: 'sync', color: 'primary' },
      done: { icon: 'taskAlt', color: 'done' },
      returned: { icon: 'undo', color: 'waiting' },
      withdrawn: { icon: 'block', color: 'muted' },
    },
    fields: [['description', 'long'], ['work', 'word'], ADDRESS],
    lists: [],
  },
  notice: {
    icon: 'campaign',
    states: {
      published: { icon: 'checkCircle', color: 'primary' },
      withdrawn: { icon: 'block', color: 'muted' },
    },
    fields: [
      ['text', 'long'],
      ['until_ms', 'time'],
    ],
    lists: [],
  },
  visit: {
    icon: 'home',
    states: {},
    fields: [['found', 'long'], ['person', 'person'], ['purpose', 'word'], ADDRESS],
    lists: [['tags', 'text']],
  },
  finding: {
    icon: 'factCheck',
    titleIsCategory: true,
    states: {
      normal: { icon: 'checkCircle', color: 'done' },
      abnormal: { icon: 'warning', color: 'waiting' },
    },
    fields: [['note', 'long']],
    lists: [],
  },
  mediation: {
    icon: 'handshake',
    narrow: true,
    states: {
      open: { icon: 'sync', color: 'primary' },
      agreed: { icon: 'checkCircle', color: 'done' },
      failed: { icon: 'block', color: 'waiting' },
      referred: { icon: 'arrowUpward', color: 'waiting' },
      closed: { icon: 'taskAlt', color: 'done' },
    },
    fields: [['cause', 'long'], ADDRESS],
    lists: [
      ['parties', 'person'],
      ['sessions', 'session'],
      ['look_again', 'dated'],
    ],
  },
} as const satisfies Record<string, RecordKind>

export type KindName = keyof typeof KINDS

export const KIND_NAMES = Object.keys(KINDS) as KindName[]

export function isKind(name: string | null | undefined): name is KindName {
  return typeof name === 'string' && Object.hasOwn(KINDS, name)
}

/** Whether looks at this kind, or at anything that may be of it, are written down. */
export function isNarrow(kind: KindName | null): boolean {
  return kind !== null && (KINDS[kind] as RecordKind).narrow === true
}

/** The look of a state; a newer server may know states that this page does not. */
export function stateLook(kind: KindName, state: string): Look {
  const states: Record<string, Look> = KINDS[kind].states
  return states[state] ?? { icon: 'radioUnchecked', color: 'muted' }
}
