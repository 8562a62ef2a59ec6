// All that the main frame shows, read from the server for the day and the grid
// of the choice, and read again every half minute. Made once by Frame.vue and
// handed down to the bar, the map and the panel.
import {
  computed,
  inject,
  provide,
  shallowRef,
  watch,
  type ComputedRef,
  type InjectionKey,
  type ShallowRef,
} from 'vue'
import { api } from '@/api/client'
import type {
  Catalogue,
  Coverage,
  Day,
  Grid,
  GridMap,
  IncidentDetail,
  LonLat,
  Me,
  PatrolDetail,
  RecordDetail,
  Records,
  Route,
  Worker,
} from '@/api/types'
import { dayOf } from '@/format/time'
import { buildTree, type GridNode, type GridTree } from '@/geo/grids'
import { i18n } from '@/i18n'
import { isKind, isNarrow, type KindName } from '@/records/kinds'
import { choice } from './choice'
import { hear, now } from './clock'
import { usePolling, type Polling } from './polling'
import { useResource, type Resource } from './resource'

export interface FrameState {
  me: Me
  /** The day shown: the chosen one, or the latest that has something. */
  day: ComputedRef<string>
  today: ComputedRef<string>
  /** The id of the grid shown: the chosen one, or the user's own. */
  gridId: ComputedRef<string>
  tree: ComputedRef<GridTree | null>
  /** The grid shown, once the tree is known; null for one outside the user's rights. */
  node: ComputedRef<GridNode | null>
  catalogue: Resource<Catalogue>
  grids: Resource<{ grids: Grid[] }>
  gridMap: Resource<GridMap>
  dayData: Resource<Day>
  routes: Resource<{ routes: Route[] }>
  coverage: Resource<Coverage>
  days: Resource<{ days: string[] }>
  workers: Resource<{ now_ms: number; workers: Worker[] }>
  patrol: Resource<PatrolDetail>
  incident: Resource<IncidentDetail>
  /** The records of the day, while they are listed. */
  records: Resource<Records>
  record: Resource<RecordDetail>
  polling: Polling
  refresh: () => Promise<void>
  /** Where the replay's marker stands. */
  replayAt: ShallowRef<LonLat | null>
  categoryName: (code: string, language: 'zh' | 'en') => string
}

const KEY: InjectionKey<FrameState> = Symbol('frame')

export function useFrame(): FrameState {
  const frame = inject(KEY)
  if (!frame) throw new Error('useFrame() belongs below Frame.vue')
  return frame
}

export function provideFrame(me: Me): FrameState {
  const today = computed(() => dayOf(now.value, me.utc_offset_min))
  const day = computed(() => choice.value.day ?? me.latest_day ?? today.value)
  const gridId = computed(() => choice.value.grid ?? me.grid.id)
  const scope = computed(() => `${day.value} ${gridId.value}`)
  const chosenId = (kind: 'patrol' | 'incident'): string | null =>
    choice.value.chosen?.kind === kind ? choice.value.chosen.id : null

  const catalogue = useResource(() => '', api.catalogue)
  const grids = useResource(() => '', api.grids)
  const gridMap = useResource(
    () => me.grid.id,
    (signal) => api.gridMap(me.grid.id, signal),
  )
  const dayData = useResource(
    () => scope.value,
    async (signal) => {
      const answer = await api.day(day.value, gridId.value, signal)
      hear(answer.now_ms)
      return answer
    },
  )
  const routes = useResource(
    () => scope.value,
    (signal) => api.routes(day.value, gridId.value, signal),
  )
  const coverage = useResource(
    () => scope.value,
    (signal) => api.coverage(day.value, gridId.value, signal),
  )
  const days = useResource(
    () => gridId.value,
    (signal) => api.days(gridId.value, signal),
  )
  const workers = useResource(
    () => gridId.value,
    (signal) => api.workers(gridId.value, signal),
  )
  const patrol = useResource(
    () => chosenId('patrol'),
    (signal) => api.patrol(chosenId('patrol') ?? '', signal),
  )
  const incident = useResource(
    () => chosenId('incident'),
    (signal) => api.incident(chosenId('incident') ?? '', signal),
  )

  const only = (): KindName | null => choice.value.only
  const records = useResource(
    () => (choice.value.list === 'records' ? `${scope.value} ${only() ?? ''}` : null),
    (signal) => api.records(day.value, gridId.value, only(), signal),
  )
  const chosenRecord = (): { kind: KindName; id: string } | null => {
    const chosen = choice.value.chosen
    return chosen && isKind(chosen.kind) ? { kind: chosen.kind, id: chosen.id } : null
  }
  const record = useResource(
    () => {
      const chosen = chosenRecord()
      return chosen && `${chosen.kind} ${chosen.id}`
    },
    (signal) => {
      const { kind, id } = chosenRecord() ?? { kind: '', id: '' }
      return api.record(kind, id, signal)
    },
  )

  const tree = computed(() => (grids.data.value ? buildTree(grids.data.value.grids) : null))
  const node = computed(() => tree.value?.byId.get(gridId.value) ?? null)

  async function refresh(): Promise<void> {
    const always: Resource<unknown>[] = [dayData, routes, coverage, workers, days]
    // What never changes during a visit is only read again where it failed.
    const once = [catalogue, grids, gridMap].filter((each) => each.trouble.value !== null)
    const chosen = [patrol, incident]
    // Each look at a mediation is written down; this one is nobody's.
    const unwatched = (kind: KindName | null, { data }: Resource<unknown>): boolean =>
      isNarrow(kind) && data.value !== null
    if (!unwatched(only(), records)) always.push(records)
    if (!unwatched(chosenRecord()?.kind ?? null, record)) always.push(record)
    await Promise.all([...always, ...once, ...chosen].map((each) => each.refresh()))
  }

  const replayAt = shallowRef<LonLat | null>(null)
  watch(
    () => chosenId('patrol'),
    () => {
      replayAt.value = null
    },
  )

  function categoryName(code: string, language: 'zh' | 'en'): string {
    // A quick report comes without one.
    if (code === '') return i18n.global.t('incident.unclassified', {}, { locale: language })
    const category = catalogue.data.value?.categories.find((each) => each.code === code)
    return category?.name[language] ?? code
  }

  const frame: FrameState = {
    me,
    day,
    today,
    gridId,
    tree,
    node,
    catalogue,
    grids,
    gridMap,
    dayData,
    routes,
    coverage,
    days,
    workers,
    patrol,
    incident,
    records,
    record,
    polling: usePolling(refresh),
    refresh,
    replayAt,
    categoryName,
  }
  provide(KEY, frame)
  return frame
}
