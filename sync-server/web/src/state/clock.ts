// The server's clock, as far as the page knows it. Ages are told against it,
// never against the browser's own clock, which may be wrong by a day.
import { ref } from 'vue'

let serverMs = Date.now()
let heardAt = performance.now()

/** The server's time, moved on every ten seconds and with each answer. */
export const now = ref(serverMs)

/** The server's time at this very moment. */
export function serverNow(): number {
  return serverMs + (performance.now() - heardAt)
}

/** Takes the time that an answer of the server carried. */
export function hear(ms: number): void {
  serverMs = ms
  heardAt = performance.now()
  now.value = ms
}

/** Starts the steady moving-on of `now`. */
export function startClock(): void {
  window.setInterval(() => {
    now.value = serverNow()
  }, 10_000)
}
