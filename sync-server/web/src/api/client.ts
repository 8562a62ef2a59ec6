// The one place where the page talks to the server: same origin, cookie
// session, JSON. Failures come out as an `ApiError` whose `kind` the screens
// turn into a sentence and a next step.
import type {
  Catalogue,
  Coverage,
  Day,
  Grid,
  GridMap,
  IncidentDetail,
  Me,
  PatrolDetail,
  RecordDetail,
  Records,
  Route,
  Worker,
} from './types'

export type TroubleKind =
  | 'offline'
  | 'signed_out'
  | 'wrong_credentials'
  | 'too_many_attempts'
  | 'forbidden'
  | 'not_found'
  | 'failed'

export class ApiError extends Error {
  constructor(
    readonly kind: TroubleKind,
    /** Seconds to wait before another try, where the server named them. */
    readonly retryAfterS: number | null = null,
  ) {
    super(kind)
    this.name = 'ApiError'
  }
}

const TIMEOUT_MS = 20_000

/** What a status and the server's error code mean to the page. */
export function kindOf(status: number, code: string | undefined): TroubleKind {
  if (code === 'wrong_credentials') return 'wrong_credentials'
  if (status === 401) return 'signed_out'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not_found'
  if (status === 429) return 'too_many_attempts'
  return 'failed'
}

async function errorOf(response: Response): Promise<ApiError> {
  let code: string | undefined
  try {
    const body = (await response.json()) as { error?: { code?: string } }
    code = body.error?.code
  } catch {
    // A proxy in between may answer with a page of its own; the status says enough.
  }
  const wait = Number(response.headers.get('Retry-After'))
  return new ApiError(kindOf(response.status, code), wait > 0 ? wait : null)
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const asked = init.signal
  const control = new AbortController()
  const cancel = (): void => {
    control.abort()
  }
  const timer = window.setTimeout(cancel, TIMEOUT_MS)
  asked?.addEventListener('abort', cancel)
  let response: Response
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init, signal: control.signal })
  } catch (error) {
    // Whoever cancelled the request is told so; all else means no answer came.
    if (asked?.aborted) throw error
    throw new ApiError('offline')
  } finally {
    window.clearTimeout(timer)
  }
  if (!response.ok) throw await errorOf(response)
  return response
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await call(path, signal ? { signal } : {})
  try {
    return (await response.json()) as T
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError('failed')
  }
}

async function post(path: string, body?: unknown): Promise<Response> {
  return call(path, {
    method: 'POST',
    headers: { 'X-Gridwalk': '1', 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

const query = (values: Record<string, string>): string => new URLSearchParams(values).toString()
const part = encodeURIComponent

export const api = {
  async login(name: string, password: string): Promise<Me> {
    return (await (await post('/api/login', { name, password })).json()) as Me
  },
  async logout(): Promise<void> {
    await post('/api/logout')
  },
  me: (signal?: AbortSignal) => get<Me>('/api/me', signal),
  catalogue: (signal?: AbortSignal) => get<Catalogue>('/api/catalogue', signal),
  grids: (signal?: AbortSignal) => get<{ grids: Grid[] }>('/api/grids', signal),
  gridMap: (id: string, signal?: AbortSignal) => get<GridMap>(`/api/grids/${part(id)}/map`, signal),
  day: (date: string, grid: string, signal?: AbortSignal) =>
    get<Day>(`/api/day?${query({ date, grid })}`, signal),
  routes: (date: string, grid: string, signal?: AbortSignal) =>
    get<{ routes: Route[] }>(`/api/day/routes?${query({ date, grid })}`, signal),
  coverage: (date: string, grid: string, signal?: AbortSignal) =>
    get<Coverage>(`/api/coverage?${query({ date, grid })}`, signal),
  days: (grid: string, signal?: AbortSignal) =>
    get<{ days: string[] }>(`/api/days?${query({ grid })}`, signal),
  patrol: (id: string, signal?: AbortSignal) =>
    get<PatrolDetail>(`/api/patrols/${part(id)}`, signal),
  incident: (id: string, signal?: AbortSignal) =>
    get<IncidentDetail>(`/api/incidents/${part(id)}`, signal),
  /** Records of a day: of one kind, or of all but those with narrow readers. */
  records: (date: string, grid: string, kind: string | null, signal?: AbortSignal) =>
    get<Records>(`/api/records?${query({ date, grid, ...(kind ? { kind } : {}) })}`, signal),
  record: (kind: string, id: string, signal?: AbortSignal) =>
    get<RecordDetail>(`/api/records/${part(kind)}/${part(id)}`, signal),
  workers: (grid: string, signal?: AbortSignal) =>
    get<{ now_ms: number; workers: Worker[] }>(`/api/workers?${query({ grid })}`, signal),
  /** Where a photo's bytes are read from. */
  blobPath: (sha256: string) => `/api/blobs/${part(sha256)}`,
}
