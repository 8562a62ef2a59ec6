// The page by keyboard alone, from the login to a patrol's replay and back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, mapIdle, open, plain } from './browser.mjs'
import { PASSWORD } from './mock/api.mjs'
import { startMock } from './mock/server.mjs'

/** @type {import('playwright-core').Browser} */
let browser
/** @type {Awaited<ReturnType<typeof startMock>>} */
let mock
/** @type {import('playwright-core').Page} */
let page

before(async () => {
  browser = await launch()
  mock = await startMock()
  page = (await open(browser, mock.url)).page
})
after(async () => {
  await browser.close()
  await mock.close()
})

/** What has the focus, as a reader of the screen would be told. */
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement
    if (!(element instanceof HTMLElement))
      return { tag: '', name: '', ring: false, id: '', row: '' }
    const style = getComputedStyle(element)
    const after = getComputedStyle(element, '::after')
    return {
      tag: element.tagName.toLowerCase(),
      name: element.getAttribute('aria-label') ?? element.innerText,
      ring:
        (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) ||
        (after.outlineStyle !== 'none' && parseFloat(after.outlineWidth) > 0),
      id: element.id,
      row: element.closest('[data-row]')?.getAttribute('data-row') ?? '',
    }
  })

/** Presses Tab until the focus is on what matches. @param {string} selector */
async function tabTo(selector) {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return
  }
  assert.fail(`${selector} cannot be reached with Tab`)
}

test('logs in', async () => {
  await page.waitForSelector('#name:focus')
  await page.keyboard.type('lanshan')
  await page.keyboard.press('Tab')
  await page.keyboard.type(PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForSelector('.row')
  await mapIdle(page)
})

test('every stop of the Tab key has a name and a visible ring', async () => {
  await page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
  })
  const seen = []
  for (let i = 0; i < 45; i++) {
    await page.keyboard.press('Tab')
    const at = await focused()
    if (at.tag === 'body') break
    seen.push(at)
    assert.notEqual(plain(at.name), '', `stop ${i}: a ${at.tag} without a name`)
    assert.ok(at.ring, `stop ${i}: ${plain(at.name)} shows no focus`)
  }
  assert.ok(
    seen.some(({ tag }) => tag === 'canvas'),
    'the map is among them',
  )
  assert.ok(seen.filter(({ row }) => row).length >= 12, 'the rows are among them')
})

test('finds a grid by typing, and takes it', async () => {
  await page.reload()
  await page.waitForSelector('.row')
  await tabTo('.picker .opener')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[role="combobox"]:focus')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.type('金雀山')
  await page.waitForSelector('[role="option"]')
  await page.keyboard.press('Enter')
  await page.waitForURL(/grid=/)
  assert.equal(plain(await page.textContent('.where')), '金雀山街道 合成')
  await page.waitForSelector('.row')
})

test('walks the tree of grids', async () => {
  await page.keyboard.press('Enter')
  await page.waitForSelector('[role="tree"]')
  const at = () => page.getAttribute('[role="treeitem"].at', 'aria-level')
  assert.equal(await at(), '2')
  await page.keyboard.press('ArrowDown')
  assert.equal(await at(), '3')
  await page.keyboard.press('ArrowLeft')
  assert.equal(await at(), '2')
  await page.keyboard.press('Escape')
  await page.waitForSelector('.picker .opener:focus')
})

test('picks a day with the arrow keys', async () => {
  await tabTo('.days .opener')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-day="2026-11-21"]:focus')
  await page.keyboard.press('ArrowLeft')
  await page.waitForSelector('[data-day="2026-11-20"]:focus')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.waitForURL(/day=2026-11-20/)
  await page.waitForSelector('.days .opener:focus')
  await page.goBack()
})

test('changes the list with the arrow keys', async () => {
  await tabTo('[role="tab"][aria-selected="true"]')
  await page.keyboard.press('ArrowRight')
  await page.waitForSelector('#tab-incidents:focus[aria-selected="true"]')
  await page.keyboard.press('ArrowLeft')
  await page.waitForSelector('#tab-patrols:focus[aria-selected="true"]')
})

test('sorts the table, and says how', async () => {
  await tabTo('th:nth-child(3) button')
  await page.keyboard.press('Enter')
  assert.equal(await page.getAttribute('th:nth-child(3)', 'aria-sort'), 'descending')
  const distances = await page.locator('.row td:nth-child(3)').allTextContents()
  const km = distances.map((text) => parseFloat(text))
  assert.deepEqual(
    km,
    [...km].sort((a, b) => b - a),
  )
})

test('opens a patrol, plays it, chooses a gap, and comes back to the same row', async () => {
  await tabTo('.row a')
  await page.keyboard.press('Tab')
  const { row } = await focused()
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-panel="patrol"]')
  await page.waitForFunction(() => document.activeElement?.matches('[data-heading]'))

  await tabTo('[data-replay] input')
  await page.keyboard.press('ArrowRight')
  assert.match(plain(await page.textContent('[data-replay-words]')), /^\d\d:\d\d:\d\d/)
  await tabTo('[data-play]')
  const before = await page.textContent('[data-replay-words]')
  await page.keyboard.press('Enter')
  await page.waitForFunction(
    (words) => document.querySelector('[data-replay-words]')?.textContent !== words,
    before,
  )
  await page.keyboard.press('Enter')
  const halted = await page.textContent('[data-replay-words]')
  await tabTo('[data-gap], [data-stop]')
  await page.keyboard.press('Space')
  await page.waitForSelector('.line[aria-pressed="true"]')
  assert.notEqual(await page.textContent('[data-replay-words]'), halted)

  await page.evaluate(() => {
    const back = document.querySelector('[data-back]')
    if (back instanceof HTMLElement) back.focus()
  })
  await page.keyboard.press('Enter')
  await page.waitForFunction(
    (id) => document.activeElement?.closest('[data-row]')?.getAttribute('data-row') === id,
    row,
  )
})

test('with less motion asked for, playing goes in steps', async () => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-replay]')
  await page.click('[data-play]')
  const words = () => page.textContent('[data-replay-words]')
  const first = plain(await words())
  await page.waitForFunction(
    (before) =>
      document.querySelector('[data-replay-words]')?.textContent?.replace(/\s+/gu, ' ') !== before,
    first,
  )
  const [a, b] = [first, plain(await words())].map((text) => {
    const [h, m, s] = text.slice(0, 8).split(':').map(Number)
    return h * 3600 + m * 60 + s
  })
  assert.equal((b - a) % 300, 0, 'whole steps of five minutes')
})
