// Spacing of Chinese text: a thin space where Chinese meets Latin letters or
// digits, and one that does not break between a number and its unit.

/** Between Chinese and Latin; a line may break there. */
export const THIN = '\u2009'
/** Between a number and its unit; a line may not break there. */
export const NARROW = '\u202f'

const HAN_THEN_LATIN = /(\p{Script=Han})(?=[A-Za-z0-9])/gu
const DIGIT_THEN_HAN = /([0-9%])(?=\p{Script=Han})/gu
const LATIN_THEN_HAN = /([A-Za-z])(?=\p{Script=Han})/gu

/** The text with thin spaces where Chinese and Latin meet. */
export function spaced(text: string): string {
  return text
    .replace(HAN_THEN_LATIN, `$1${THIN}`)
    .replace(DIGIT_THEN_HAN, `$1${NARROW}`)
    .replace(LATIN_THEN_HAN, `$1${THIN}`)
}

/** A number and its unit, kept on one line. */
export function withUnit(value: string | number, unit: string): string {
  return `${value}${NARROW}${unit}`
}
