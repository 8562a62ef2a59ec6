// Distances and sizes. The units m, km, KB and MB are the same in both languages.
import { withUnit } from './space'

/** Metres in words: `430 m`, `3.2 km`, `128 km`. */
export function distance(metres: number): string {
  if (metres < 999.5) return withUnit(Math.round(metres), 'm')
  const km = metres / 1000
  return withUnit(km < 99.95 ? km.toFixed(1) : Math.round(km), 'km')
}

/** A file's size in words, in steps of 1024. */
export function bytes(count: number): string {
  if (count < 1024) return withUnit(count, 'B')
  const kib = count / 1024
  return kib < 1023.5 ? withUnit(Math.round(kib), 'KB') : withUnit((kib / 1024).toFixed(1), 'MB')
}

/** A position in degrees to five places, about a metre. */
export function position(lat: number, lon: number): string {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`
}

/** Whole numbers with a thin space each three digits, from five digits on. */
export function count(value: number): string {
  const digits = String(Math.round(value))
  return digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, '\u202f')
}
