// The map's small pictures, drawn on a canvas from the same icons and tokens
// as the rest of the page, so that no sprite has to be fetched.
import type { Map as MapLibre } from 'maplibre-gl'
import { ICON_BOX, iconPath, type IconName } from '@/icons'
import { CATEGORY_LOOKS } from '@/look'
import type { Palette } from './palette'

/** Drawn at this many pixels a CSS pixel, sharp on dense screens. */
const RATIO = 2

type Draw = (context: CanvasRenderingContext2D, side: number) => void

function picture(side: number, draw: Draw): ImageData {
  const canvas = document.createElement('canvas')
  canvas.width = side * RATIO
  canvas.height = side * RATIO
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser gives no 2D canvas to draw the map marks on.')
  context.scale(RATIO, RATIO)
  draw(context, side)
  return context.getImageData(0, 0, canvas.width, canvas.height)
}

function circle(context: CanvasRenderingContext2D, side: number, radius: number): void {
  context.beginPath()
  context.arc(side / 2, side / 2, radius, 0, 2 * Math.PI)
}

function icon(context: CanvasRenderingContext2D, name: IconName, side: number, size: number): void {
  const scale = size / ICON_BOX
  const corner = (side - size) / 2
  context.save()
  context.translate(corner, corner + size)
  context.scale(scale, scale)
  context.fill(new Path2D(iconPath(name)))
  context.restore()
}

export const DISC_PX = 26
const RINGED_PX = 36

/** An icon in a disc; overdue ones have a ring around it, a little apart. */
function disc(colors: Palette, fill: string, name: IconName, ring: string | null): ImageData {
  return picture(ring ? RINGED_PX : DISC_PX + 4, (context, side) => {
    circle(context, side, DISC_PX / 2 + 1.5)
    context.fillStyle = colors.casing
    context.fill()
    circle(context, side, DISC_PX / 2)
    context.fillStyle = fill
    context.fill()
    context.fillStyle = colors['on-color']
    icon(context, name, side, 17)
    if (!ring) return
    circle(context, side, RINGED_PX / 2 - 1.5)
    context.strokeStyle = ring
    context.lineWidth = 2.5
    context.stroke()
  })
}

/** An arrowhead that points to the right: the map turns it along the line. */
function arrow(fill: string, edge: string): ImageData {
  return picture(16, (context) => {
    context.beginPath()
    context.moveTo(13.5, 8)
    context.lineTo(4, 13)
    context.lineTo(6.2, 8)
    context.lineTo(4, 3)
    context.closePath()
    context.lineJoin = 'round'
    context.lineWidth = 3
    context.strokeStyle = edge
    context.stroke()
    context.fillStyle = fill
    context.fill()
  })
}

function square(fill: string, edge: string): ImageData {
  return picture(18, (context) => {
    context.fillStyle = edge
    context.fillRect(1, 1, 16, 16)
    context.fillStyle = fill
    context.fillRect(3, 3, 12, 12)
  })
}

/** The corner that does not stretch, in pixels of the picture. */
const CORNER = 5 * RATIO
const BOX = 16

/** A box with round corners whose middle stretches to any text. */
function box(colors: Palette): ImageData {
  return picture(BOX, (context, side) => {
    context.beginPath()
    context.roundRect(0.5, 0.5, side - 1, side - 1, 4)
    context.fillStyle = colors.surface
    context.fill()
    context.strokeStyle = colors.line
    context.stroke()
  })
}

function all(colors: Palette): [string, ImageData][] {
  return [
    ['arrow', arrow(colors.primary, colors.casing)],
    ['box', box(colors)],
    ['end', square(colors.primary, colors.casing)],
    ['worker', disc(colors, colors.primary, 'person', null)],
    ...CATEGORY_LOOKS.flatMap(([code, look]): [string, ImageData][] => [
      [`incident-${code}`, disc(colors, colors[look.color], look.icon, null)],
      [`incident-${code}-overdue`, disc(colors, colors[look.color], look.icon, colors.overdue)],
    ]),
  ]
}

const MIDDLE: [number, number] = [CORNER, BOX * RATIO - CORNER]
const STRETCH = {
  stretchX: [MIDDLE],
  stretchY: [MIDDLE],
  content: [CORNER / 2, CORNER / 2, BOX * RATIO - CORNER / 2, BOX * RATIO - CORNER / 2] as [
    number,
    number,
    number,
    number,
  ],
}

/** Draws every picture in the theme's colours, new or over the old ones. */
export function drawImages(map: MapLibre, colors: Palette): void {
  for (const [name, image] of all(colors)) {
    if (map.hasImage(name)) map.updateImage(name, image)
    else map.addImage(name, image, { pixelRatio: RATIO, ...(name === 'box' ? STRETCH : {}) })
  }
}
