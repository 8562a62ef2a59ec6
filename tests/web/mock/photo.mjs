// Photos for the mock server, drawn as PNG: a street at some hour, enough to
// tell one from another.
import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

const [WIDTH, HEIGHT] = [480, 360]

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/** @param {import('./random.mjs').Chance} random */
export function drawPhoto(random) {
  const horizon = Math.round(HEIGHT * random.between(0.45, 0.6))
  const sky = [random.between(150, 200), random.between(180, 210), random.between(205, 235)]
  const houses = Array.from({ length: 9 }, (_, i) => ({
    x: i * 60 + random.between(-20, 10),
    width: random.between(50, 95),
    top: horizon - random.between(40, 170),
    colour: [random.between(110, 190), random.between(100, 170), random.between(90, 150)],
  }))
  const heap = { x: random.between(120, 360), y: horizon + 80, r: random.between(35, 60) }
  const heapColour = [random.between(60, 160), random.between(60, 130), random.between(40, 90)]
  const raw = Buffer.alloc((WIDTH * 3 + 1) * HEIGHT)
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      let colour = sky.map((v) => v + (y / horizon) * 25)
      if (y >= horizon) colour = [118, 116, 112].map((v) => v - (y - horizon) * 0.12)
      for (const house of houses) {
        if (y < horizon && y > house.top && x > house.x && x < house.x + house.width) {
          const [u, v] = [(x - house.x) % 22, (y - house.top) % 28]
          const isWindow = u > 7 && u < 16 && v > 8 && v < 20
          colour = house.colour.map((c) => (isWindow ? c * 0.6 : c))
        }
      }
      const away = Math.hypot((x - heap.x) / heap.r, ((y - heap.y) / heap.r) * 1.7)
      if (away < 1) colour = heapColour.map((c) => c * (1.15 - 0.4 * away))
      const grain = (((x * 7 + y * 13) % 11) - 5) * 0.9
      const at = y * (WIDTH * 3 + 1) + 1 + x * 3
      colour.forEach((c, i) => (raw[at + i] = Math.max(0, Math.min(255, c + grain))))
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(WIDTH, 0)
  head.writeUInt32BE(HEIGHT, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const bytes = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ])
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}
