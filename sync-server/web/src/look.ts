// Shape, word and colour of categories and states, in one place: colour never
// speaks alone.
import type { IncidentStatus, PatrolStatus, Severity } from '@/api/types'
import type { IconName } from '@/icons'
import type { ColorName } from '@/map/palette'

export interface Look {
  icon: IconName
  color: ColorName
}

const CATEGORIES: Record<string, Look> = {
  hygiene: { icon: 'cleaning', color: 'hygiene' },
  fire_safety: { icon: 'fire', color: 'fire-safety' },
  public_order: { icon: 'police', color: 'public-order' },
  family_dispute: { icon: 'familyRestroom', color: 'family-dispute' },
}

/** What a category without a look of its own is drawn as. */
const OTHER: Look = { icon: 'category', color: 'other' }

/** The catalogue is data and may name categories this page has never heard of. */
export function categoryLook(code: string): Look {
  return CATEGORIES[code] ?? OTHER
}

/** All looks that the map has to have images of, by the name of the image. */
export const CATEGORY_LOOKS: [string, Look][] = [...Object.entries(CATEGORIES), ['other', OTHER]]

/** The name under which the map knows a category's image. */
export function categoryKey(code: string): string {
  return code in CATEGORIES ? code : 'other'
}

export const STATUS_LOOKS: Record<IncidentStatus, Look> = {
  reported: { icon: 'radioUnchecked', color: 'waiting' },
  handled_on_site: { icon: 'checkCircle', color: 'done' },
  escalated: { icon: 'arrowUpward', color: 'waiting' },
  accepted: { icon: 'hourglass', color: 'waiting' },
  dispatched: { icon: 'send', color: 'primary' },
  in_progress: { icon: 'sync', color: 'primary' },
  resolved: { icon: 'checkCircle', color: 'done' },
  verified: { icon: 'checkCircle', color: 'done' },
  closed: { icon: 'taskAlt', color: 'done' },
  rejected: { icon: 'block', color: 'muted' },
}

export const OVERDUE_LOOK: Look = { icon: 'schedule', color: 'overdue' }

export const PATROL_LOOKS: Record<PatrolStatus, Look> = {
  active: { icon: 'directionsWalk', color: 'primary' },
  paused: { icon: 'pauseCircle', color: 'waiting' },
  finished: { icon: 'checkCircle', color: 'muted' },
}

/** A site: visited, missed, not due here. */
export const SITE_LOOKS = {
  met: { icon: 'checkCircle', color: 'done' },
  missed: { icon: 'radioUnchecked', color: 'overdue' },
  open: { icon: 'radioUnchecked', color: 'muted' },
} as const satisfies Record<string, Look>

/** From least to most, for sorting. */
export const SEVERITIES: readonly Severity[] = ['minor', 'normal', 'serious', 'urgent']
