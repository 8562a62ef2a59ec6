// Makes the map. The worker is a file of our own origin, so that the content
// policy needs neither blob: nor data: addresses.
import { Map as MapLibre, setWorkerUrl, type GeoJSONSource } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import 'maplibre-gl/dist/maplibre-gl.css'
import type { Bounds } from '@/geo/bounds'
import { drawImages } from './images'
import { emptyStyle, layers, type SourceName } from './layers'
import type { Palette } from './palette'

setWorkerUrl(workerUrl)

/** Where the map looks before it knows what to show: all of Shandong. */
const FIRST_VIEW: Bounds = [114.8, 34.3, 122.8, 38.4]

export function createMap(container: HTMLElement, colors: Palette, title: string): MapLibre {
  const map = new MapLibre({
    container,
    style: emptyStyle(colors),
    bounds: FIRST_VIEW,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    // Names appear and go without fading: nothing moves by itself.
    fadeDuration: 0,
    minZoom: 5,
    maxZoom: 20,
    locale: { 'Map.Title': title },
  })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  return map
}

/** Puts new data into one of the style's sources. */
export function setData(map: MapLibre, name: SourceName, data: GeoJSON.GeoJSON): void {
  const source: GeoJSONSource | undefined = map.getSource(name)
  void source?.setData(data)
}

/** Gives every layer and picture the theme's colours, leaving data and filters alone. */
export function paint(map: MapLibre, colors: Palette): void {
  drawImages(map, colors)
  for (const layer of layers(colors)) {
    for (const [name, value] of Object.entries(layer.paint ?? {})) {
      map.setPaintProperty(layer.id, name as never, value as never)
    }
  }
}

/**
 * Says on the element what the map is doing and where it looks, for tests and
 * for whoever inspects the page: state, centre, zoom.
 */
export function publishState(map: MapLibre, element: HTMLElement): void {
  const say = (state: 'busy' | 'idle'): void => {
    const { lng, lat } = map.getCenter()
    element.dataset.mapCenter = `${lng},${lat}`
    element.dataset.mapZoom = String(map.getZoom())
    element.dataset.mapState = state
  }
  say('busy')
  map.on('idle', () => {
    say('idle')
  })
  for (const event of ['movestart', 'move', 'dataloading'] as const) {
    map.on(event, () => {
      say('busy')
    })
  }
}
