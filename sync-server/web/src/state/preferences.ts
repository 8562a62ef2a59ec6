// Language and theme: the reader's, kept in this browser only.
import { ref, watch } from 'vue'
import { store, stored } from './storage'

export type Theme = 'light' | 'dark'
export type ThemeChoice = Theme | 'auto'
export type Language = 'zh' | 'en'

const asked = stored('gridwalk.theme')
export const themeChoice = ref<ThemeChoice>(asked === 'light' || asked === 'dark' ? asked : 'auto')
export const language = ref<Language>(stored('gridwalk.language') === 'en' ? 'en' : 'zh')

const systemDark = window.matchMedia('(prefers-color-scheme: dark)')

function effective(): Theme {
  if (themeChoice.value !== 'auto') return themeChoice.value
  return systemDark.matches ? 'dark' : 'light'
}

/** The theme in force, for what CSS does not reach (the map). */
export const theme = ref<Theme>(effective())

systemDark.addEventListener('change', () => {
  theme.value = effective()
})

watch(
  themeChoice,
  (value) => {
    if (value === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = value
    store('gridwalk.theme', value)
    theme.value = effective()
  },
  { immediate: true, flush: 'sync' },
)

watch(
  language,
  (value) => {
    document.documentElement.lang = value === 'zh' ? 'zh-CN' : 'en'
    store('gridwalk.language', value)
  },
  { immediate: true, flush: 'sync' },
)

/** Whether the reader asked the system for less motion. */
export function wantsLessMotion(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches
}
