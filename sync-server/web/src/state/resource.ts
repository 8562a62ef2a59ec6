// Something that is read from the server under a key (a day and a grid, say):
// its data, whether it is being read, and what went wrong. A new key forgets
// the old data at once; a refresh keeps it until the new answer is there, so
// that nothing flickers, and keeps it when the refresh fails, as stale data.
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { ApiError, type TroubleKind } from '@/api/client'
import { serverNow } from './clock'
import { expire } from './session'

export interface Resource<T> {
  data: Readonly<ShallowRef<T | null>>
  trouble: Readonly<Ref<TroubleKind | null>>
  loading: Readonly<Ref<boolean>>
  /** The server's time at the last good answer. */
  seenAt: Readonly<Ref<number | null>>
  refresh: () => Promise<void>
}

export function useResource<T>(
  key: () => string | null,
  read: (signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const data = shallowRef<T | null>(null)
  const trouble = ref<TroubleKind | null>(null)
  const loading = ref(false)
  const seenAt = ref<number | null>(null)
  let running: AbortController | null = null

  async function refresh(): Promise<void> {
    if (key() === null) return
    running?.abort()
    const mine = new AbortController()
    running = mine
    loading.value = true
    try {
      const answer = await read(mine.signal)
      if (mine.signal.aborted) return
      data.value = answer
      trouble.value = null
      seenAt.value = serverNow()
    } catch (error) {
      if (mine.signal.aborted) return
      const kind = error instanceof ApiError ? error.kind : 'failed'
      trouble.value = kind
      if (kind === 'signed_out') expire()
      // What the user may no longer see, or what is gone, must not stay on show.
      if (kind === 'forbidden' || kind === 'not_found') data.value = null
    } finally {
      if (running === mine) {
        running = null
        loading.value = false
      }
    }
  }

  watch(
    key,
    () => {
      running?.abort()
      running = null
      loading.value = false
      data.value = null
      trouble.value = null
      seenAt.value = null
      void refresh()
    },
    { immediate: true },
  )
  onScopeDispose(() => running?.abort())

  return { data, trouble, loading, seenAt, refresh }
}
