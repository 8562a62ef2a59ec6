// A supervisor's walk through the page: log in, pick the day, click a route on
// the map, read its facts, open an incident with its photo. Runs against the
// server named by GRIDWALK_URL, GRIDWALK_USER and GRIDWALK_PASSWORD, which has
// to hold at least one patrol and one incident with a photo; without them,
// against the mock server.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ask,
  launch,
  logIn,
  mapIdle,
  mapIdleAfter,
  open,
  picture,
  plain,
  projection,
} from './browser.mjs'
import { PASSWORD } from './mock/api.mjs'
import { startMock } from './mock/server.mjs'
import { readPng } from './png.mjs'

const PRIMARY = [0x0b, 0x63, 0xbf]

const real = process.env.GRIDWALK_URL
const mock = real ? null : await startMock()
const url = real ?? mock?.url ?? ''
const user = process.env.GRIDWALK_USER ?? 'lanshan'
const password = process.env.GRIDWALK_PASSWORD ?? PASSWORD

/** @type {import('playwright-core').Browser} */
let browser
/** @type {Awaited<ReturnType<typeof open>>} */
let opened
/** @type {import('playwright-core').Page} */
let page
/** What the server says of the day shown. @type {any} */
let day
/** @type {any[]} */
let routes

before(async () => {
  browser = await launch()
  opened = await open(browser, url)
  page = opened.page
})

after(async () => {
  await browser?.close()
  await mock?.close()
})

test('the page is served with a content policy that trusts this origin alone', () => {
  assert.match(opened.policy, /default-src '(none|self)'/)
  assert.doesNotMatch(opened.policy, /unsafe|https?:|\*/)
})

test('logs in', async () => {
  await picture(page, '01-login')
  await logIn(page, user, password)
  await page.waitForSelector('[role="tablist"]')
})

test('picks the day in the calendar, and the map draws it', async () => {
  await page.click('.days .opener')
  const marked = page.locator('.day.has')
  await marked.first().waitFor()
  const last = marked.last()
  const date = await last.getAttribute('data-day')
  await last.click()
  await page.waitForURL((address) => address.searchParams.get('day') === date)
  await page.waitForSelector('.row')
  await mapIdle(page)
  const me = await ask(page, '/api/me')
  const query = `date=${date}&grid=${me.grid.id}`
  day = await ask(page, `/api/day?${query}`)
  routes = (await ask(page, `/api/day/routes?${query}`)).routes
  assert.ok(day.patrols.length > 0, 'the day has patrols')
  assert.equal(
    plain(await page.textContent('caption')),
    `共 ${day.patrols.length} 次巡查`,
    'the number of rows is said',
  )
  await picture(page, '02-day')
})

/** From this many pixels on a point stands free of other routes and marks. */
const FREE_PX = 30

/** A point of a route that stands free, looking closer until there is one. */
async function pointToClick() {
  for (let closer = 0; ; closer++) {
    const best = await freestPoint()
    if (best.room > FREE_PX) return best
    assert.ok(closer < 6, 'however close, no route has a point that stands free')
    await page.mouse.move(best.x, best.y)
    await mapIdleAfter(page, () => page.mouse.wheel(0, -300))
  }
}

/** The point of a route on the screen that is farthest from everything else. */
async function freestPoint() {
  const project = await projection(page)
  const box = await page.locator('[data-map-state]').boundingBox()
  assert.ok(box)
  const { workers } = await ask(page, `/api/workers?grid=${day.grid}`)
  const marks = [
    ...day.incidents.flatMap((/** @type {any} */ i) =>
      i.place ? [[i.place.lon, i.place.lat]] : [],
    ),
    ...workers.flatMap((/** @type {any} */ w) =>
      w.last_position ? [[w.last_position.lon, w.last_position.lat]] : [],
    ),
  ].map(project)
  const lines = routes.map((route) => ({
    patrol: route.patrol,
    points: route.segments.flat().map(project),
  }))
  /** @param {{x: number, y: number}} a @param {{x: number, y: number}} b */
  const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y)
  /** @type {{patrol: string, x: number, y: number, room: number} | null} */
  let best = null
  for (const line of lines) {
    const others = lines.filter((other) => other !== line).flatMap((other) => other.points)
    for (const point of line.points.slice(2, -2)) {
      const within =
        point.x > box.x + 60 &&
        point.x < box.x + box.width - 140 &&
        point.y > box.y + 40 &&
        point.y < box.y + box.height - 180
      if (!within) continue
      const room = Math.min(...[...others, ...marks].map((other) => apart(point, other)), 200)
      if (!best || room > best.room) best = { patrol: line.patrol, ...point, room }
    }
  }
  assert.ok(best, 'some route is in sight')
  return best
}

test('a click on a route in the map shows the facts of that patrol', async () => {
  const point = await pointToClick()
  const shot = readPng(await page.screenshot())
  const near = []
  for (let dx = -3; dx <= 3; dx++) {
    for (let dy = -3; dy <= 3; dy++) {
      near.push(shot.at(Math.round(point.x) + dx, Math.round(point.y) + dy))
    }
  }
  const away = Math.min(
    ...near.map((pixel) => Math.max(...pixel.map((value, i) => Math.abs(value - PRIMARY[i])))),
  )
  assert.ok(away < 60, `the route's colour is drawn where the route is (off by ${away})`)

  await page.mouse.click(point.x, point.y)
  const panel = page.locator('[data-panel="patrol"]')
  await panel.waitFor()
  assert.equal(await panel.getAttribute('data-id'), point.patrol)
  assert.equal(new URL(page.url()).searchParams.get('patrol'), point.patrol)

  const detail = await ask(page, `/api/patrols/${point.patrol}`)
  const metres = detail.patrol.distance_m
  const distance = metres < 999.5 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`
  const text = plain(await panel.textContent())
  assert.ok(text.includes(distance), `${distance} stands in: ${text}`)
  assert.ok(text.includes(`轨迹中断 ${detail.gaps.length} 处`), text)
  assert.ok(text.includes(`停留 ${detail.stops.length} 处`), text)
  assert.equal(plain(await page.textContent('[data-heading]')), detail.patrol.worker.name)
  await mapIdle(page)
  await picture(page, '03-patrol')
})

test('a gap is shown in words and dots only when it is chosen', async () => {
  const withGap = day.patrols.find((/** @type {any} */ patrol) => patrol.gaps > 0)
  assert.ok(withGap, 'some patrol has a gap')
  await page.click('[data-back]')
  await page.click(`[data-row="${withGap.id}"] a`)
  await page.locator(`[data-panel="patrol"][data-id="${withGap.id}"]`).waitFor()
  await mapIdle(page)
  const gap = page.locator('[data-gap]').first()
  await gap.scrollIntoViewIfNeeded()
  await mapIdleAfter(page, () => gap.click())
  assert.equal(await gap.getAttribute('aria-pressed'), 'true')
  assert.equal(new URL(page.url()).searchParams.get('part'), 'gap-0')
  await picture(page, '04-gap')
})

test('the replay moves a marker, and says when nobody knows the place', async () => {
  const slider = page.locator('[data-replay] input[type="range"]')
  await slider.focus()
  await slider.press('Home')
  const words = page.locator('[data-replay-words]')
  const first = plain(await words.textContent())
  assert.match(first, /^\d\d:\d\d:\d\d/)
  await slider.press('End')
  assert.notEqual(plain(await words.textContent()), first)
  const detail = await ask(page, `/api/patrols/${new URL(page.url()).searchParams.get('patrol')}`)
  const gap = detail.gaps[0]
  await slider.fill(String(Math.round((gap.from_ms + gap.to_ms) / 2000) * 1000))
  assert.match(plain(await words.textContent()), /^\d\d:\d\d:\d\d · \S+/)
})

test('back and forward lead through what was chosen', async () => {
  const patrol = new URL(page.url()).searchParams.get('patrol')
  await page.goBack()
  assert.equal(new URL(page.url()).searchParams.get('part'), null)
  await page.goBack()
  await page.waitForSelector('[role="tablist"]')
  await page.goForward()
  await page.locator(`[data-panel="patrol"][data-id="${patrol}"]`).waitFor()
  await page.click('[data-back]')
})

test('an incident shows its photo', async () => {
  const details = await Promise.all(
    day.incidents.map((/** @type {any} */ { id }) => ask(page, `/api/incidents/${id}`)),
  )
  const found = details.find(({ photos }) => photos.some((/** @type {any} */ { here }) => here))
  assert.ok(found, 'some incident has a photo that is on the server')
  const withPhoto = found.incident
  await page.click('#tab-incidents')
  assert.equal(plain(await page.textContent('caption')), `共 ${day.incidents.length} 件事件`)
  await page.click(`[data-row="${withPhoto.id}"] a`)
  const panel = page.locator('[data-panel="incident"]')
  await panel.waitFor()
  assert.equal(await panel.getAttribute('data-id'), withPhoto.id)
  assert.equal(plain(await page.textContent('[data-heading]')), plain(withPhoto.title))
  const photo = page.locator('img[data-photo="loaded"]').first()
  await photo.waitFor()
  assert.ok(await photo.evaluate((img) => /** @type {HTMLImageElement} */ (img).naturalWidth > 0))
  await mapIdle(page)
  await picture(page, '05-incident')
  await photo.click()
  await page.locator('dialog[open] img').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
  await page.click('[data-back]')
})

test('the sites’ list says what was visited, and why the rest was not', async () => {
  const coverage = await ask(page, `/api/coverage?date=${day.date}&grid=${day.grid}`)
  assert.ok(coverage.units.length > 0, 'sites are due')
  assert.ok(
    coverage.units.some((/** @type {any} */ { met }) => met),
    'some were visited',
  )
  assert.ok(
    coverage.units.some((/** @type {any} */ { reason }) => reason),
    'some were not',
  )
  await page.click('#tab-sites')
  const { due, met } = coverage.day
  assert.equal(
    plain(await page.textContent('[data-coverage-day]')),
    `当天应到 ${due} 次，已到 ${met} 次`,
  )
  if (coverage.week) await page.waitForSelector('[data-coverage-week]')
  const lines = page.locator('[data-sites] [data-site]')
  assert.equal(await lines.count(), coverage.units.length, 'each is listed')
  const missed = page.locator('[data-site][data-standing="missed"]').first()
  const why = plain(await missed.locator('.why').textContent())
  assert.ok(why.length > 1, 'a missed site has its reason')
  await mapIdle(page)
  await picture(page, '06-sites')
})

test('a patrol shows its sites', async () => {
  const details = await Promise.all(
    day.patrols.map((/** @type {any} */ { id }) => ask(page, `/api/patrols/${id}`)),
  )
  const found = details.find(({ coverage }) => coverage.visits.length > 0)
  assert.ok(found, 'some patrol visited a site')
  await page.click('#tab-patrols')
  await page.click(`[data-row="${found.patrol.id}"] a`)
  const part = page.locator('[data-patrol-sites]')
  await part.waitFor()
  assert.ok((await part.locator('[data-standing="met"]').count()) > 0)
  await mapIdle(page)
  await part.scrollIntoViewIfNeeded()
  await picture(page, '06-patrol-sites')
  await page.click('[data-back]')
})

test('the workers’ list says who was heard from when, and what is unsent', async () => {
  const { workers } = await ask(page, `/api/workers?grid=${day.grid}`)
  await page.click('#tab-workers')
  const on = workers.filter((/** @type {any} */ worker) => worker.on_shift).length
  assert.equal(
    plain(await page.textContent('caption')),
    `共 ${workers.length} 名网格员，${on} 名在岗`,
  )
  const waiting = workers.find(
    (/** @type {any} */ { unsent }) => unsent && unsent.ops + unsent.chunks + unsent.blobs > 0,
  )
  if (waiting) {
    const { ops, chunks, blobs } = waiting.unsent
    const row = plain(await page.textContent(`[data-row="${waiting.id}"]`))
    assert.ok(row.includes(`${ops + chunks + blobs} 条`), row)
  }
  await picture(page, '06-workers')
})

test('dark, and in English', async () => {
  await page.click('[data-theme-toggle]')
  await mapIdleAfter(page, () => page.click('[data-theme-toggle]'))
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark')
  await page.click('[data-language]')
  assert.equal(await page.getAttribute('html', 'lang'), 'en')
  await page.click('#tab-patrols')
  // Both are kept, and a page opened anew looks at the day's routes.
  await page.reload()
  await page.waitForSelector('.row')
  await mapIdle(page)
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark')
  assert.match(plain(await page.textContent('caption')), /^\d+ patrols?$/)
  await picture(page, '07-dark-english')
})

test('nothing was complained about, and no request left the origin', () => {
  opened.assertQuiet()
})
