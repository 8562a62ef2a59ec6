// What this browser keeps for the reader. Storage may be forbidden; then
// nothing is kept beyond the visit.

export function stored(name: string): string | null {
  try {
    return window.localStorage.getItem(name)
  } catch {
    return null
  }
}

export function store(name: string, value: string): void {
  try {
    window.localStorage.setItem(name, value)
  } catch {
    // See above.
  }
}
