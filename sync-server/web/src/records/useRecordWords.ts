// The words of records, bound to the language and the district's catalogue.
import { useI18n } from 'vue-i18n'
import type { RecordRow, Who } from '@/api/types'
import { useFormat } from '@/format/useFormat'
import { useFrame } from '@/state/frame'
import { language } from '@/state/preferences'
import { KINDS, type KindName, type RecordKind } from './kinds'
import type { Tools } from './said'

export interface RecordWords {
  kind: (kind: KindName) => string
  title: (row: RecordRow) => string
  state: (kind: KindName, state: string) => string
  /** A person; the server itself has a name, too. */
  who: (who: Who) => string
  tools: Tools
}

export function useRecordWords(): RecordWords {
  const i18n = useI18n()
  const { t } = i18n
  const format = useFormat()
  const { categoryName } = useFrame()
  const known = (key: string, otherwise: string): string => (i18n.te(key) ? t(key) : otherwise)

  return {
    kind: (kind) => t(`recordKind.${kind}`),
    title: (row) => {
      const kind: RecordKind = KINDS[row.kind]
      return kind.titleIsCategory ? categoryName(row.title, language.value) : row.title
    },
    state: (kind, state) => known(`recordState.${kind}_${state}`, state),
    who: (who) => (who.id === 'server' ? t('who.server') : who.name),
    tools: {
      word: (word) => known(`recordWord.${word}`, word),
      date: format.date,
      day: format.day,
      get and() {
        return t('record.and')
      },
    },
  }
}
