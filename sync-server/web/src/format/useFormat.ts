// The formats bound to the language, the district's zone and the server's clock.
import { useI18n } from 'vue-i18n'
import { now } from '@/state/clock'
import { offsetMin } from '@/state/session'
import * as time from './time'

export interface Format {
  clock: (ms: number) => string
  clockSeconds: (ms: number) => string
  exact: (ms: number) => string
  ago: (ms: number) => string
  duration: (seconds: number) => string
  day: (day: string) => string
  weekday: (day: string) => string
  date: (ms: number) => string
  period: (fromMs: number, toMs: number) => string
}

export function useFormat(): Format {
  const { t } = useI18n()

  const day = (text: string): string => {
    const year = text.slice(0, 4)
    const parts = {
      year,
      month: t(`time.months.m${Number(text.slice(5, 7))}`),
      day: Number(text.slice(8, 10)),
    }
    // The year is said only where it is not the present one.
    const isThisYear = time.dayOf(now.value, offsetMin.value).startsWith(year)
    return t(isThisYear ? 'time.monthDay' : 'time.yearMonthDay', parts)
  }
  const clock = (ms: number): string => time.clock(ms, offsetMin.value)
  const date = (ms: number): string => `${day(time.dayOf(ms, offsetMin.value))} ${clock(ms)}`

  return {
    clock,
    day,
    date,
    clockSeconds: (ms) => time.clockSeconds(ms, offsetMin.value),
    exact: (ms) => time.exact(ms, offsetMin.value),
    weekday: (text) => t(`time.weekdays.d${time.weekday(text)}`),
    ago(ms) {
      const age = time.age(ms, now.value)
      if (age.unit === 'now') return t('time.justNow')
      if (age.unit === 'minutes') return t('time.minutesAgo', { n: age.n })
      if (age.unit === 'hours') return t('time.hoursAgo', { n: age.n })
      return date(ms)
    },
    duration(seconds) {
      const { hours, minutes, seconds: rest } = time.span(seconds)
      if (hours > 0 && minutes > 0) return t('time.hoursMinutes', { h: hours, m: minutes })
      if (hours > 0) return t('time.hours', { h: hours })
      return minutes > 0 ? t('time.minutes', { m: minutes }) : t('time.seconds', { s: rest })
    },
    period: (from, to) => `${clock(from)}–${clock(to)}`,
  }
}
