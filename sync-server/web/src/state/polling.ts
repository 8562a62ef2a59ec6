// Asks again every half minute, as long as somebody is looking: a hidden page
// rests, and asks at once when it is seen again and its data is old.
import { onScopeDispose, ref, type Ref } from 'vue'

export const POLL_MS = 30_000

export interface Polling {
  paused: Ref<boolean>
}

export function usePolling(ask: () => Promise<void>): Polling {
  const paused = ref(false)
  let lastAsked = performance.now()
  let timer = 0
  let stopped = false

  function plan(wait: number): void {
    window.clearTimeout(timer)
    if (!stopped) timer = window.setTimeout(() => void turn(), wait)
  }

  async function turn(): Promise<void> {
    if (!paused.value && !document.hidden) {
      lastAsked = performance.now()
      await ask()
    }
    plan(POLL_MS)
  }

  function seen(): void {
    if (document.hidden) return
    plan(Math.max(0, POLL_MS - (performance.now() - lastAsked)))
  }

  document.addEventListener('visibilitychange', seen)
  window.addEventListener('online', seen)
  plan(POLL_MS)
  onScopeDispose(() => {
    stopped = true
    window.clearTimeout(timer)
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('online', seen)
  })
  return { paused }
}
