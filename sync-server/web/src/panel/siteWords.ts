// How a site stands, in words: the same in the lists and on the map.
import { useI18n } from 'vue-i18n'
import type { Reason, Visit } from '@/api/types'
import { useFormat } from '@/format/useFormat'
import type { SiteStanding } from '@/geo/sites'

export interface SiteWords {
  /** Visited, missed, not yet. */
  state: (each: SiteStanding) => string
  /** When and how, or why not; empty where there is nothing to say. */
  detail: (each: SiteStanding) => string
  /** Both, for the map. */
  label: (each: SiteStanding) => string
}

export function useSiteWords(): SiteWords {
  const i18n = useI18n()
  const { t } = i18n
  const format = useFormat()

  function visited(visit: Visit): string {
    const clock = format.clock(visit.at_ms)
    if (visit.by === 'route') return t('site.byRoute', { clock })
    const away = visit.away_m === null ? '' : t('site.away', { m: Math.round(visit.away_m) })
    return [t('site.byHand', { clock }), away].filter(Boolean).join(t('site.and'))
  }

  function missed(reason: Reason): string {
    switch (reason.why) {
      case 'said': {
        // The words are data of the phones; one that is not known shows as it is.
        const known = `site.said.${reason.word}`
        const word = i18n.te(known) ? t(known) : reason.word
        return reason.note ? t('site.saidWith', { word, note: reason.note }) : word
      }
      case 'gap':
        return t('site.why.gap', { cause: t(`cause.${reason.cause}`) })
      case 'not_near':
        return typeof reason.closest_m === 'number'
          ? t('site.why.not_near', { m: reason.closest_m })
          : t('site.why.no_route')
      case 'not_yet':
        return ''
      default:
        return t(`site.why.${reason.why}`)
    }
  }

  const state = (each: SiteStanding): string =>
    t(`site.state.${each.standing === 'open' && !each.unit ? 'other' : each.standing}`)
  function detail(each: SiteStanding): string {
    if (each.reason) return missed(each.reason)
    const last = each.visits[each.visits.length - 1]
    return last ? visited(last) : ''
  }
  const label = (each: SiteStanding): string =>
    [each.site.name, detail(each) || state(each)].join('\n')

  return { state, detail, label }
}
