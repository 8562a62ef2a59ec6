// What the map is made of, from the ground up. Everything is drawn from
// GeoJSON that the page already has: no tiles, no sprites, no glyph server.
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Level } from '@/api/types'
import { LABEL_PX } from '@/geo/labels'
import { NOTHING } from '@/geo/routes'
import { ROUTE, type Palette } from './palette'

/** The system's Chinese faces; MapLibre draws every letter on a canvas with them. */
const FONT = ['PingFang SC', 'HarmonyOS Sans SC', 'Noto Sans SC', 'Noto Sans CJK SC', 'sans-serif']

export const SOURCES = [
  'grids',
  'grid-labels',
  'sites',
  'routes',
  'route-marks',
  'chosen',
  'chosen-marks',
  'gaps',
  'gap-label',
  'stops',
  'workers',
  'incidents',
  'replay',
] as const

export type SourceName = (typeof SOURCES)[number]

const within = (grid: string) => ['in', grid, ['get', 'path']] as never

/** Layers whose filters follow the chosen grid. */
export function gridFilters(grid: string): Record<string, never> {
  const is = ['==', ['get', 'id'], grid] as never
  return { 'grid-chosen': is, 'grid-chosen-line': is }
}

/** The opacity of a level's lines: in from a zoom on, quieter outside the chosen grid. */
export function gridOpacity(level: Level, grid: string): never {
  const full = ['case', within(grid), 1, 0.45]
  const faint = ['case', within(grid), 0.4, 0.1]
  const stops = { district: [0, 1], town: [0, 1], community: [8.5, 10], base: [10, 12] }[level]
  return ['interpolate', ['linear'], ['zoom'], stops[0], faint, stops[1], full] as never
}

const ROUND = { 'line-cap': 'round', 'line-join': 'round' } as const

function gridLayers(c: Palette): LayerSpecification[] {
  const line = (level: Level, color: string): LayerSpecification => ({
    id: `grid-${level}`,
    type: 'line',
    source: 'grids',
    filter: ['==', ['get', 'level'], level],
    layout: { 'line-join': 'round' },
    paint: { 'line-color': color, 'line-width': 1, 'line-opacity': gridOpacity(level, '') },
  })
  const names = (level: Level): LayerSpecification => ({
    id: `grid-name-${level}`,
    type: 'symbol',
    source: 'grid-labels',
    filter: [
      'all',
      ['==', ['get', 'level'], level],
      ['<=', ['get', 'from'], ['zoom']],
      ['>', ['get', 'until'], ['zoom']],
    ],
    layout: {
      'text-field': ['get', 'name'],
      'text-font': FONT,
      'text-size': LABEL_PX[level],
      'text-max-width': 20,
      'text-padding': 4,
    },
    paint: {
      'text-color': level === 'base' ? c.muted : c.ink,
      'text-halo-color': c.ground,
      'text-halo-width': 1.5,
      'text-opacity': ['case', within(''), 1, 0.6] as never,
    },
  })
  return [
    { id: 'ground', type: 'background', paint: { 'background-color': c.ground } },
    {
      id: 'grid-chosen',
      type: 'fill',
      source: 'grids',
      filter: ['==', ['get', 'id'], ''],
      paint: { 'fill-color': c.surface, 'fill-antialias': false },
    },
    line('base', c['base-line']),
    line('community', c['community-line']),
    line('town', c['town-line']),
    line('district', c['town-line']),
    {
      id: 'grid-chosen-line',
      type: 'line',
      source: 'grids',
      filter: ['==', ['get', 'id'], ''],
      layout: { 'line-join': 'round' },
      paint: { 'line-color': c.muted, 'line-width': 1.5 },
    },
    {
      id: 'routes-thin',
      type: 'line',
      source: 'routes',
      layout: { ...ROUND, visibility: 'none' },
      paint: {
        'line-color': c.primary,
        'line-width': ROUTE['many-line'],
        'line-opacity': ROUTE['many-opacity'],
      },
    },
    names('base'),
    names('community'),
    names('town'),
  ]
}

/** Casing, line and arrows of routes from one source. */
function routeLayers(prefix: string, source: SourceName, c: Palette): LayerSpecification[] {
  return [
    {
      id: `${prefix}-casing`,
      type: 'line',
      source,
      layout: ROUND,
      paint: { 'line-color': c.casing, 'line-width': ROUTE.casing, 'line-opacity': ROUTE.opacity },
    },
    {
      id: `${prefix}-line`,
      type: 'line',
      source,
      layout: ROUND,
      paint: { 'line-color': c.primary, 'line-width': ROUTE.line, 'line-opacity': ROUTE.opacity },
    },
    {
      id: `${prefix}-arrows`,
      type: 'symbol',
      source,
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': ROUTE['arrow-every'],
        'icon-image': 'arrow',
        'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
      },
    },
  ]
}

/** Start a ring, end a filled square, open ends small and hollow, the latest place a disc. */
function markLayers(prefix: string, source: SourceName, c: Palette): LayerSpecification[] {
  const kind = ['get', 'kind'] as never
  const is = (name: string, yes: number | string, no: number | string) =>
    ['match', kind, name, yes, no] as never
  return [
    {
      id: `${prefix}-rounds`,
      type: 'circle',
      source,
      filter: ['!=', ['get', 'kind'], 'end'],
      paint: {
        'circle-radius': ['match', kind, 'start', 5, 'latest', 6, 3],
        'circle-color': is('latest', c.primary, c.casing),
        'circle-stroke-color': is('latest', c.casing, c.primary),
        'circle-stroke-width': ['match', kind, 'start', 3, 'latest', 2, 1.5],
      },
    },
    {
      id: `${prefix}-ends`,
      type: 'symbol',
      source,
      filter: ['==', ['get', 'kind'], 'end'],
      layout: { 'icon-image': 'end', 'icon-allow-overlap': true, 'icon-ignore-placement': true },
    },
  ]
}

/** A plain box behind a text, so that it can be read over whatever lies there. */
const BOXED = {
  'icon-image': 'box',
  'icon-text-fit': 'both',
  'icon-text-fit-padding': [2, 5, 2, 5] as [number, number, number, number],
  'icon-allow-overlap': true,
} as const

/** Visited sites are filled, missed ones hollow; from close by with their words. */
function siteLayers(c: Palette): LayerSpecification[] {
  const standing = ['get', 'standing'] as never
  const color = ['match', standing, 'met', c.done, 'missed', c.overdue, c.muted] as never
  return [
    {
      id: 'sites-fill',
      type: 'fill',
      source: 'sites',
      paint: {
        'fill-color': color,
        'fill-opacity': ['match', standing, 'met', 0.28, 0] as never,
        'fill-antialias': false,
      },
    },
    {
      id: 'sites-line',
      type: 'line',
      source: 'sites',
      paint: { 'line-color': color, 'line-width': 2 },
    },
  ]
}

function siteWordLayers(c: Palette): LayerSpecification[] {
  return [
    {
      id: 'sites-text',
      type: 'symbol',
      source: 'sites',
      minzoom: 15,
      layout: {
        'text-field': ['get', 'text'],
        'text-font': FONT,
        'text-size': 14,
        'text-max-width': 20,
        'text-anchor': 'top',
        'text-offset': [0, 0.6],
        ...BOXED,
        'icon-allow-overlap': false,
      },
      paint: { 'text-color': c.ink },
    },
  ]
}

function overlayLayers(c: Palette): LayerSpecification[] {
  return [
    ...siteLayers(c),
    ...routeLayers('routes', 'routes', c),
    ...markLayers('routes', 'route-marks', c),
    {
      id: 'routes-hover',
      type: 'line',
      source: 'routes',
      filter: ['==', ['get', 'patrol'], ''],
      layout: ROUND,
      paint: { 'line-color': c.primary, 'line-width': ROUTE.line + 1.5 },
    },
    {
      id: 'gaps',
      type: 'line',
      source: 'gaps',
      filter: ['==', ['get', 'index'], -1],
      layout: ROUND,
      paint: {
        'line-color': c.muted,
        'line-width': ROUTE.gap,
        'line-dasharray': [0, 2.5],
      },
    },
    {
      id: 'gaps-reach',
      type: 'line',
      source: 'gaps',
      paint: { 'line-color': c.muted, 'line-width': 8, 'line-opacity': 0 },
    },
    ...routeLayers('chosen', 'chosen', c),
    {
      id: 'stops',
      type: 'circle',
      source: 'stops',
      paint: {
        'circle-radius': ['get', 'radius'],
        'circle-color': c.surface,
        'circle-stroke-color': c.primary,
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'stops-chosen',
      type: 'circle',
      source: 'stops',
      filter: ['==', ['get', 'index'], -1],
      paint: {
        'circle-radius': ['+', ['get', 'radius'], 4],
        'circle-color': c.surface,
        'circle-opacity': 0,
        'circle-stroke-color': c.ink,
        'circle-stroke-width': 1.5,
      },
    },
    {
      id: 'stops-text',
      type: 'symbol',
      source: 'stops',
      layout: {
        'text-field': ['get', 'text'],
        'text-font': FONT,
        'text-size': 14,
        'text-allow-overlap': true,
        'text-ignore-placement': true,
      },
      paint: { 'text-color': c.ink },
    },
    ...markLayers('chosen', 'chosen-marks', c),
    ...siteWordLayers(c),
    {
      id: 'gap-text',
      type: 'symbol',
      source: 'gap-label',
      layout: {
        'text-field': ['get', 'text'],
        'text-font': FONT,
        'text-size': 14,
        'text-max-width': 30,
        'text-allow-overlap': true,
        ...BOXED,
      },
      paint: { 'text-color': c.ink },
    },
    {
      id: 'workers',
      type: 'symbol',
      source: 'workers',
      layout: {
        'icon-image': 'worker',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
      },
      paint: { 'icon-opacity': ['get', 'opacity'] },
    },
    {
      id: 'workers-text',
      type: 'symbol',
      source: 'workers',
      layout: {
        'text-field': ['get', 'text'],
        'text-font': FONT,
        'text-size': 14,
        'text-anchor': 'left',
        'text-offset': [1.8, 0],
        'text-justify': 'left',
        ...BOXED,
      },
      paint: { 'text-color': c.ink },
    },
    {
      id: 'incidents-chosen',
      type: 'circle',
      source: 'incidents',
      filter: ['==', ['get', 'id'], ''],
      paint: {
        'circle-radius': 20,
        'circle-color': c.surface,
        'circle-stroke-color': c.ink,
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'incidents',
      type: 'symbol',
      source: 'incidents',
      layout: {
        'icon-image': ['get', 'image'],
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
      },
    },
    {
      id: 'replay',
      type: 'circle',
      source: 'replay',
      paint: {
        'circle-radius': 8,
        'circle-color': c.ink,
        'circle-stroke-color': c.casing,
        'circle-stroke-width': 3,
      },
    },
  ]
}

export function layers(c: Palette): LayerSpecification[] {
  return [...gridLayers(c), ...overlayLayers(c)]
}

/** From which zoom on workers are shown where there are many of them. */
export const MANY_WORKERS_ZOOM = 13

/** With a patrol chosen, incidents of the others step back. */
export function incidentOpacity(patrol: string | null): never {
  return (patrol ? ['case', ['==', ['get', 'patrol'], patrol], 1, 0.35] : 1) as never
}

/** Layers of all routes in full dress; hidden where there are many or one is chosen. */
export const FULL_ROUTE_LAYERS = [
  'routes-casing',
  'routes-line',
  'routes-arrows',
  'routes-rounds',
  'routes-ends',
]

export function emptyStyle(c: Palette): StyleSpecification {
  return {
    version: 8,
    sources: Object.fromEntries(
      SOURCES.map((name) => [
        name,
        {
          type: 'geojson',
          data: NOTHING,
          // Lines are already simplified by the server; keep what it kept.
          tolerance: name === 'grids' ? 0.375 : 0.1,
          maxzoom: 16,
        },
      ]),
    ),
    layers: layers(c),
  }
}
