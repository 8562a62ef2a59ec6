// One real browser, and pages in it that are watched: what they ask of whom,
// what they complain about.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Browser} Browser */

const WAIT_MS = 20_000

/** @param {string[]} more */
export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.GRIDWALK_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  })
}

/** What Chromium itself says of software drawing is no complaint of the page. */
const NOT_OURS = /GPU stall due to ReadPixels|GL Driver Message/

/**
 * Opens a page and watches it.
 * @param {Browser} browser @param {string} url
 * @param {import('playwright-core').BrowserContextOptions & {language?: 'zh'|'en'}} options
 */
export async function open(browser, url, { language = 'zh', ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  context.setDefaultTimeout(WAIT_MS)
  const page = await context.newPage()
  /** @type {string[]} */
  const complaints = []
  /** @type {string[]} */
  const strangers = []
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type()) || NOT_OURS.test(message.text())) return
    complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.stack ?? error.message}`))
  const { origin } = new URL(url)
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) strangers.push(request.url())
  })
  if (language !== 'zh') {
    await page.addInitScript((value) => {
      localStorage.setItem('gridwalk.language', value)
    }, language)
  }
  const response = await page.goto(url)
  return {
    page,
    policy: response?.headers()['content-security-policy'] ?? '',
    complaints,
    strangers,
    /** The page asked nobody else for anything, and nothing was complained about. */
    assertQuiet() {
      assert.deepEqual(strangers, [], 'requests that left the origin')
      assert.deepEqual(complaints, [], 'what the browser complained about')
    },
    close: () => context.close(),
  }
}

/** @param {Page} page @param {string} name @param {string} password */
export async function logIn(page, name, password) {
  await page.fill('#name', name)
  await page.fill('#password', password)
  await page.press('#password', 'Enter')
}

/** Waits until the map has drawn all it has. @param {Page} page */
export async function mapIdle(page) {
  await page.waitForSelector('[data-map-state="idle"]')
}

/** Waits until the map is idle and shows something new since the act. @param {Page} page @param {() => Promise<unknown>} act */
export async function mapIdleAfter(page, act) {
  await page.locator('[data-map-state]').evaluate((map) => {
    map.setAttribute('data-map-state', 'asked')
  })
  await act()
  await mapIdle(page)
}

/**
 * Where a position lies on the screen, from what the map says of itself:
 * Web Mercator, north up, 512 pixels for the world at zoom 0.
 * @param {Page} page
 * @returns {Promise<(at: number[]) => {x: number, y: number}>}
 */
export async function projection(page) {
  const view = await page.locator('[data-map-state]').evaluate((map) => {
    const { left, top, width, height } = map.getBoundingClientRect()
    const { mapCenter = '', mapZoom = '' } = /** @type {HTMLElement} */ (map).dataset
    return { left, top, width, height, centre: mapCenter, zoom: Number(mapZoom) }
  })
  const world = 512 * 2 ** view.zoom
  /** @param {number[]} at */
  const mercator = ([lon, lat]) => [
    (world * (lon + 180)) / 360,
    world * (0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI)),
  ]
  const [cx, cy] = mercator(view.centre.split(',').map(Number))
  return (at) => {
    const [x, y] = mercator(at)
    return { x: view.left + view.width / 2 + x - cx, y: view.top + view.height / 2 + y - cy }
  }
}

/** Asks the server what the page would be told. @param {Page} page @param {string} path */
export async function ask(page, path) {
  return page.evaluate(async (asked) => {
    const response = await fetch(asked)
    if (!response.ok) throw new Error(`${asked}: ${response.status}`)
    return response.json()
  }, path)
}

/** Text with every kind of space as a plain one. @param {string|null} text */
export const plain = (text) => (text ?? '').replace(/\s+/gu, ' ').trim()

/** Saves a picture where the caller asked for pictures. @param {Page} page @param {string} name */
export async function picture(page, name) {
  const folder = process.env.GRIDWALK_SCREENSHOTS
  if (!folder) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
