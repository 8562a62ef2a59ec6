// Chinese first, English beside it; every text stands in locales/*.json.
import { watch } from 'vue'
import { createI18n } from 'vue-i18n'
import { spaced } from './format/space'
import en from './locales/en.json'
import zh from './locales/zh.json'
import { language } from './state/preferences'

type Messages = typeof zh

export const i18n = createI18n<[Messages], 'zh' | 'en', false>({
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- goes with vue-i18n 12, the default until then is true
  legacy: false,
  locale: language.value,
  fallbackLocale: 'zh',
  messages: { zh, en },
  // Values come in after the texts were written, so the spacing is set last.
  postTranslation: (text) => (typeof text === 'string' ? spaced(text) : text),
})

watch(language, (value) => {
  i18n.global.locale.value = value
})
