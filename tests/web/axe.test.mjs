// axe-core over every screen, in both languages and both themes: nothing
// serious, nothing critical.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import axe from 'axe-core'
import { launch, logIn, mapIdle, open } from './browser.mjs'
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

/** @param {Page} page @param {string} where */
async function check(page, where) {
  // Evaluated by the browser's debugger, which no content policy concerns.
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { axe } = /** @type {any} */ (window)
    const { violations } = await axe.run(document, { resultTypes: ['violations'] })
    return violations.map((/** @type {any} */ { id, impact, nodes }) => ({
      id,
      impact,
      where: nodes.map((/** @type {any} */ node) => node.html.slice(0, 160)),
    }))
  })
  const bad = found.filter((/** @type {any} */ { impact }) =>
    ['serious', 'critical'].includes(impact),
  )
  assert.deepEqual(bad, [], where)
}

/** @type {[string, (page: Page) => Promise<unknown>][]} */
const SCREENS = [
  ['the day', async () => {}],
  ['incidents', (page) => page.click('#tab-incidents')],
  [
    'an incident',
    async (page) => {
      await page.locator('.row a').last().click()
      await page.waitForSelector('[data-panel="incident"] [data-photo="loaded"]')
    },
  ],
  [
    'an overdue incident with a form and a possible duplicate',
    async (page) => {
      await page.click('[data-back]')
      await page.locator('.row', { hasText: '电动车进楼充电' }).locator('a').click()
      await page.waitForSelector('[data-panel="incident"] [data-duplicates]')
    },
  ],
  [
    'records',
    async (page) => {
      await page.click('[data-back]')
      await page.click('#tab-records')
      await page.waitForSelector('.row')
    },
  ],
  [
    'a mediation',
    async (page) => {
      await page.selectOption('#only', 'mediation')
      await page.locator('.row', { hasText: '邻里漏水纠纷' }).locator('a').click()
      await page.waitForSelector('[data-panel="record"] [data-history]')
    },
  ],
  [
    'workers',
    async (page) => {
      await page.click('[data-back]')
      await page.click('#tab-workers')
    },
  ],
  [
    'a worker',
    async (page) => {
      await page.locator('.row a').nth(2).click()
      await page.waitForSelector('[data-panel="worker"]')
    },
  ],
  [
    'a patrol with a chosen gap',
    async (page) => {
      await page.click('[data-back]')
      await page.click('#tab-patrols')
      await page.locator('.row a').first().click()
      await page.waitForSelector('[data-panel="patrol"]')
      await page.locator('[data-gap], [data-stop]').first().click()
    },
  ],
  [
    'the tree of grids',
    async (page) => {
      await page.click('.picker .opener')
      await page.waitForSelector('[role="tree"]')
    },
  ],
  [
    'a search for a grid',
    async (page) => {
      await page.keyboard.type('网格')
      await page.waitForSelector('[role="option"]')
    },
  ],
  [
    'the calendar',
    async (page) => {
      await page.keyboard.press('Escape')
      await page.click('.days .opener')
      await page.waitForSelector('.day')
    },
  ],
  [
    'the account and the legend',
    async (page) => {
      await page.keyboard.press('Escape')
      await page.click('.legend summary')
      await page.click('.rest .opener')
      await page.waitForSelector('[data-logout]')
    },
  ],
]

for (const language of /** @type {const} */ (['zh', 'en'])) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`${language}, ${colorScheme}`, async (t) => {
      const opened = await open(browser, mock.url, { language, colorScheme })
      const { page } = opened
      await t.test('login', async () => {
        await page.waitForSelector('#name')
        await check(page, 'login')
        await logIn(page, 'lanshan', 'wrong')
        await page.waitForSelector('#login-message')
        await check(page, 'login refused')
      })
      await logIn(page, 'lanshan', PASSWORD)
      await page.waitForSelector('.row')
      await mapIdle(page)
      for (const [name, go] of SCREENS) {
        await t.test(name, async () => {
          await go(page)
          await check(page, name)
        })
      }
      await opened.close()
    })
  }
}
