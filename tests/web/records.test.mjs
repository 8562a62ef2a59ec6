// Records of every kind: listed by day, opened by keyboard, read as they are;
// and the life of an incident.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask, launch, logIn, mapIdle, open, picture, plain } from './browser.mjs'
import { PASSWORD } from './mock/api.mjs'
import { startMock } from './mock/server.mjs'

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('playwright-core').Browser} */
let browser
/** @type {Awaited<ReturnType<typeof startMock>>} */
let mock

before(async () => {
  browser = await launch()
  mock = await startMock()
})
after(async () => {
  await browser.close()
  await mock.close()
})

/** @param {string} query @param {Parameters<typeof open>[2]} [options] */
async function enter(query, options = {}) {
  const opened = await open(browser, `${mock.url}${query}`, options)
  await logIn(opened.page, 'lanshan', PASSWORD)
  await mapIdle(opened.page)
  return opened
}

/** The row that has the focus, else nothing. @param {Page} page */
const focusedRow = (page) =>
  page.evaluate(() => document.activeElement?.closest('[data-row]')?.getAttribute('data-row') ?? '')

/** The text of the panel. @param {Page} page */
const panel = async (page) => plain(await page.locator('#panel').innerText())

test('records are listed, opened and left by keyboard', async () => {
  const opened = await enter('/')
  const { page } = opened
  await page.click('#tab-sites')
  await page.keyboard.press('ArrowRight')
  await page.waitForSelector('#tab-records:focus[aria-selected="true"]')
  await page.waitForSelector('.row')
  assert.match(await panel(page), /共 4 条记录/)
  assert.match(await panel(page), /核实广场噪声.*已逾期/)
  await picture(page, 'records-zh')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'only')
  await page.selectOption('#only', 'visit')
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 1)
  assert.match(page.url(), /list=records&only=visit/)
  for (let i = 0; i < 6 && !(await focusedRow(page)); i++) await page.keyboard.press('Tab')
  const row = await focusedRow(page)
  assert.notEqual(row, '')
  await page.keyboard.press('Enter')
  await page.waitForSelector(`[data-panel="record"][data-id="${row}"]`)
  await page.waitForSelector('[data-heading]:focus')
  const told = await panel(page)
  assert.match(told, /走访 三单元 501/)
  assert.match(told, /老人独居/)
  assert.match(told, /事由 看望老人/)
  assert.match(told, /住户甲 · 139\*\*\*\*0000/)
  assert.match(page.url(), new RegExp(`visit=${row}`))
  await picture(page, 'record-visit-zh')
  await page.focus('[data-back]')
  await page.keyboard.press('Enter')
  await page.waitForSelector(`[data-row="${row}"] a:focus`)
  opened.assertQuiet()
  await opened.close()
})

test('a task says what is to be done, that it is overdue, and leads to its incident', async () => {
  const opened = await enter('/?list=records&only=task')
  const { page } = opened
  await page.locator('.row a').first().click()
  await page.waitForSelector('[data-panel="record"]')
  const told = await panel(page)
  for (const words of ['任务', '已接受', '已逾期', '办理时限', '核实', '社区值班室'])
    assert.ok(told.includes(words), words)
  await page.click('[data-link="about"]')
  await page.waitForSelector('[data-panel="incident"]')
  opened.assertQuiet()
  await opened.close()
})

test('a mediation is read when somebody asks, and not again by itself', async () => {
  const opened = await enter('/?list=records')
  const { page } = opened
  /** @type {string[]} */
  const asked = []
  page.on('request', (request) => {
    if (/\/api\/records.*mediation/.test(request.url())) asked.push(request.url())
  })
  await page.waitForSelector('.row')
  assert.doesNotMatch(await panel(page), /邻里漏水/)
  await page.selectOption('#only', 'mediation')
  await page.locator('.row', { hasText: '邻里漏水纠纷' }).locator('a').click()
  await page.waitForSelector('[data-panel="record"] [data-history]')
  const told = await panel(page)
  for (const words of ['达成协议', '当事人甲', '居委会', '十日内修复', '看修好没有', '留痕'])
    assert.ok(told.includes(words), words)
  await picture(page, 'record-mediation-zh')
  assert.equal(asked.length, 2, 'the list, and the one that was opened')
  const again = page.waitForResponse((response) => response.url().includes('/api/day?'))
  await page.click('[data-refresh]')
  await again
  await page.waitForFunction(() => document.querySelector('[data-freshness="fresh"]') !== null)
  assert.equal(asked.length, 2)
  opened.assertQuiet()
  await opened.close()
})

test('an incident says who holds it, why, until when, and what it may repeat', async () => {
  const opened = await enter('/?list=incidents')
  const { page } = opened
  const row = page.locator('.row', { hasText: '电动车进楼充电' })
  assert.match(plain(await row.innerText()), /已逾期/)
  await row.locator('a').click()
  await page.waitForSelector('[data-panel="incident"] [data-form]')
  const told = await panel(page)
  for (const words of [
    '消防安全 · 电动自行车违规充电',
    '已逾期',
    '办理时限',
    '当前层级 金雀山街道',
    '承办 职能部门',
    '场所类型 居民住宅',
    '车辆数 2 辆',
    '上交至金雀山街道',
    '派给职能部门',
    '超出网格处理能力。',
  ])
    assert.ok(told.includes(words), `${words} in ${told}`)
  await picture(page, 'incident-life-zh')
  const other = await page.locator('[data-duplicates] a').getAttribute('href')
  await page.click('[data-duplicates] a')
  const id = new URL(other ?? '', mock.url).searchParams.get('incident')
  await page.waitForSelector(`[data-panel="incident"][data-id="${id}"]`)
  opened.assertQuiet()
  await opened.close()
})

for (const [name, width] of /** @type {const} */ ([
  ['wide', 1440],
  ['narrow', 1024],
])) {
  test(`in English, ${name}, nothing is cut`, async () => {
    const opened = await enter('/?list=records', {
      language: 'en',
      viewport: { width, height: 800 },
    })
    const { page } = opened
    await page.waitForSelector('.row')
    const [box, inner] = await page
      .locator('[role="tablist"]')
      .evaluate((tabs) => [tabs.clientWidth, tabs.scrollWidth])
    assert.ok(inner <= box, `tabs of ${inner} px in ${box} px`)
    const table = page.locator('.scroller')
    const [seen, all] = await table.evaluate((list) => [list.clientWidth, list.scrollWidth])
    assert.ok(all <= seen, `a table of ${all} px in ${seen} px`)
    await picture(page, `records-en-${name}`)
    await page.locator('.row a').first().click()
    await page.waitForSelector('[data-panel="record"]')
    await picture(page, `record-en-${name}`)
    await opened.close()
  })
}

test('what is no kind of record is not asked for', async () => {
  const opened = await enter('/?list=records&only=toString')
  const { page } = opened
  await page.waitForSelector('.row')
  assert.equal(await page.inputValue('#only'), '')
  const day = await ask(page, '/api/day?date=2026-11-21')
  assert.ok(day.patrols.length)
  await opened.close()
})
