// Who is using the page. The server keeps the session; here is only what it
// told about it. When it ends, the address stays as it is, so that a login
// leads back to the same place.
import { computed, ref, shallowRef } from 'vue'
import { api, ApiError, type TroubleKind } from '@/api/client'
import type { Me } from '@/api/types'
import { hear } from './clock'
import { store, stored } from './storage'

export type SessionState = 'unknown' | 'in' | 'out' | 'expired' | 'failed'

export const session = ref<SessionState>('unknown')
export const me = shallowRef<Me | null>(null)
/** Why the session could not be asked for, while `session` is `failed`. */
export const sessionTrouble = ref<TroubleKind>('failed')
/** The district's distance from UTC, in minutes. */
export const offsetMin = computed(() => me.value?.utc_offset_min ?? 480)

/** Remembers that a session was opened here, so that a first visit need not ask. */
const HINT = 'gridwalk.session'

function enter(answer: Me): void {
  store(HINT, 'open')
  hear(answer.now_ms)
  me.value = answer
  session.value = 'in'
}

/** Asks the server whether a session is open. */
export async function resume(): Promise<void> {
  if (stored(HINT) !== 'open') {
    session.value = 'out'
    return
  }
  session.value = 'unknown'
  try {
    enter(await api.me())
  } catch (error) {
    const kind = error instanceof ApiError ? error.kind : 'failed'
    sessionTrouble.value = kind
    session.value = kind === 'signed_out' ? 'expired' : 'failed'
  }
}

/** Opens a session. Throws an `ApiError` where the server refuses. */
export async function login(name: string, password: string): Promise<void> {
  enter(await api.login(name, password))
}

/** Ends the session, on the server too where it can be reached. */
export async function logout(): Promise<void> {
  try {
    await api.logout()
  } catch (error) {
    if (!(error instanceof ApiError && error.kind === 'signed_out')) throw error
  }
  store(HINT, '')
  me.value = null
  session.value = 'out'
}

/** Called when any answer says that the session is over. */
export function expire(): void {
  if (session.value === 'in') session.value = 'expired'
}
