// Every state that is not the good one: it is said in words, with a next step,
// and the page recovers from it.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { ask, launch, logIn, mapIdle, open, picture, plain } from './browser.mjs'
import { PASSWORD } from './mock/api.mjs'
import { startMock } from './mock/server.mjs'

/** @type {import('playwright-core').Browser} */
let browser
/** @type {Awaited<ReturnType<typeof startMock>>} */
let mock
/** @type {Awaited<ReturnType<typeof open>>} */
let opened
/** @type {import('playwright-core').Page} */
let page

before(async () => {
  browser = await launch()
  mock = await startMock()
})
beforeEach(async () => {
  opened = await open(browser, mock.url)
  page = opened.page
})
afterEach(async () => {
  mock.api.heal()
  mock.setReachable(true)
  await opened.close()
})
after(async () => {
  await browser.close()
  await mock.close()
})

const enter = async (user = 'lanshan') => {
  await logIn(page, user, PASSWORD)
  await page.waitForSelector('.bar')
}
const settled = async () => {
  await page.waitForSelector('.row')
  await mapIdle(page)
}
/** @param {string} kind */
const trouble = async (kind) => {
  const note = page.locator(`[data-trouble="${kind}"]`)
  await note.waitFor()
  assert.equal(await note.getAttribute('role'), 'alert')
  return note
}

test('a wrong password is said, and the name stays', async () => {
  await logIn(page, 'lanshan', 'wrong')
  await page.waitForSelector('#login-message')
  assert.match(plain(await page.textContent('#login-message')), /账号或密码不对/)
  assert.equal(await page.inputValue('#name'), 'lanshan')
  await picture(page, 'state-wrong-password')
})

test('too many attempts: the wait is counted down, and the button rests', async () => {
  mock.api.fail(/login/, 429, 'too_many_attempts', { 'Retry-After': '17' })
  await logIn(page, 'lanshan', 'wrong')
  await page.waitForSelector('#login-message')
  assert.match(plain(await page.textContent('#login-message')), /1[567] 秒后再试/)
  assert.ok(await page.isDisabled('button[type="submit"]'))
})

test('logging in while the server is away', async () => {
  mock.setReachable(false)
  await logIn(page, 'lanshan', PASSWORD)
  await page.waitForSelector('#login-message')
  assert.match(plain(await page.textContent('#login-message')), /连不上服务器/)
  mock.setReachable(true)
  await page.click('button[type="submit"]')
  await page.waitForSelector('.bar')
})

test('an empty day says so, and leads to one that is not', async () => {
  await enter()
  await settled()
  await page.click('.days > .icon-button:first-child')
  await page.waitForSelector('.row')
  await page.click('.days > .icon-button:first-child')
  const note = page.locator('[data-empty="patrols"]')
  await note.waitFor()
  assert.match(plain(await note.textContent()), /没有巡查。.*最近有记录的是 11 月 21 日/)
  await mapIdle(page)
  await picture(page, 'state-empty')
  await note.locator('button').click()
  await page.waitForSelector('.row')
  assert.equal(new URL(page.url()).searchParams.get('day'), '2026-11-21')
})

test('a grid in which nothing ever happened', async () => {
  await enter('nobody')
  const note = page.locator('[data-empty="patrols"]')
  await note.waitFor()
  assert.match(plain(await note.textContent()), /手机同步后/)
  await page.click('#tab-workers')
  await page.waitForSelector('[data-empty="workers"]')
  await page.click('#tab-incidents')
  await page.waitForSelector('[data-empty="incidents"]')
})

test('a grid outside the user’s rights is forbidden, and the way home is offered', async () => {
  const district = mock.api.grids.root.id
  await page.goto(`${mock.url}/?grid=${district}`)
  await enter('street')
  const note = await trouble('forbidden')
  await picture(page, 'state-forbidden')
  await note.locator('button').click()
  await page.waitForSelector('.row')
  assert.equal(new URL(page.url()).searchParams.get('grid'), null)
})

test('a patrol that does not exist', async () => {
  await page.goto(`${mock.url}/?patrol=00000000-0000-4000-8000-000000000000`)
  await enter()
  const note = await trouble('not_found')
  await note.locator('button').click()
  await page.waitForSelector('.row')
})

test('the server fails: said, and tried again', async () => {
  mock.api.fail(/day/, 500, 'internal')
  await enter()
  const note = await trouble('failed')
  await picture(page, 'state-failed')
  mock.api.heal()
  await note.locator('button').click()
  await page.waitForSelector('.row')
})

test('the server goes away: what was seen stays, and is called old', async () => {
  await enter()
  await settled()
  const rows = await page.locator('.row').count()
  mock.setReachable(false)
  await page.click('[data-refresh]')
  const stale = page.locator('[data-freshness="stale"]')
  await stale.waitFor()
  assert.match(plain(await stale.textContent()), /连不上服务器 · 停在刚刚/)
  assert.equal(await page.locator('.row').count(), rows)
  await picture(page, 'state-offline')
  mock.setReachable(true)
  await page.click('[data-refresh]')
  await page.waitForSelector('[data-freshness="fresh"]')
})

test('the server is away from the start', async () => {
  await enter()
  mock.setReachable(false)
  await page.reload()
  const note = await trouble('offline')
  mock.setReachable(true)
  await note.locator('button').click()
  await page.waitForSelector('.row')
})

test('boundaries that do not come leave the lists working', async () => {
  mock.api.fail(/map$/, 500, 'internal')
  await enter()
  await page.waitForSelector('.row')
  await page.waitForSelector('.no-grids')
  mock.api.heal()
  await page.click('.no-grids button')
  await page.locator('.no-grids').waitFor({ state: 'detached' })
})

test('an expired session leads to the login and back to the same place', async () => {
  await enter()
  await settled()
  await page.click('#tab-incidents')
  await page.locator('.row a').first().click()
  await page.waitForSelector('[data-panel="incident"]')
  const place = page.url()
  mock.api.expire()
  await page.click('[data-refresh]')
  await page.waitForSelector('#name')
  assert.match(plain(await page.textContent('form')), /登录已过期/)
  assert.equal(page.url(), place)
  await picture(page, 'state-expired')
  await logIn(page, 'lanshan', PASSWORD)
  await page.waitForSelector('[data-panel="incident"]')
  assert.equal(page.url(), place)
})

test('logging out ends the session on the server too', async () => {
  await enter()
  await settled()
  await page.click('.rest .opener')
  await page.click('[data-logout]')
  await page.waitForSelector('#name')
  const status = await page.evaluate(async () => (await fetch('/api/me')).status)
  assert.equal(status, 401)
})

test('a photo that is still on the phone is said to be there', async () => {
  await enter()
  await settled()
  const day = await ask(page, `/api/day?date=2026-11-21&grid=${mock.api.grids.root.id}`)
  const partly = []
  for (const { id } of day.incidents) {
    const detail = await ask(page, `/api/incidents/${id}`)
    if (detail.photos.some((/** @type {any} */ photo) => !photo.here)) partly.push(id)
  }
  assert.ok(partly.length > 0)
  await page.click('#tab-incidents')
  await page.click(`[data-row="${partly[0]}"] a`)
  const note = page.locator('[data-photo="away"]')
  await note.waitFor()
  assert.match(plain(await note.textContent()), /还在手机上\s?\d+ KB/)
})

test('a photo that will not come can be tried again', async () => {
  await enter()
  await settled()
  mock.api.fail(/blobs/, 500, 'internal')
  await page.click('#tab-incidents')
  await page.locator('.row a').last().click()
  const failed = page.locator('[data-photo="failed"]').first()
  await failed.waitFor()
  mock.api.heal()
  const before = await page.locator('[data-photo="failed"]').count()
  await failed.click()
  await page.waitForSelector('[data-photo="loaded"]')
  assert.equal(await page.locator('[data-photo="failed"]').count(), before - 1)
})

test('the day is asked for again every half minute, unless paused', async () => {
  await page.clock.install()
  await page.reload()
  await enter()
  await settled()
  const again = page.waitForRequest(/\/api\/day\?/)
  await page.clock.fastForward(31_000)
  await again
  await page.waitForSelector('[data-freshness="fresh"]')

  await page.click('[data-freshness] [aria-pressed]')
  await page.waitForSelector('[data-freshness="paused"]')
  let asked = 0
  page.on('request', (request) => {
    if (/\/api\/day\?/.test(request.url())) asked += 1
  })
  await page.clock.fastForward(95_000)
  // Any request made after the time has passed proves that none came before it.
  const answered = page.waitForResponse(/\/api\/day\?/)
  await page.click('[data-refresh]')
  await answered
  assert.equal(asked, 1)
})

test('a browser that cannot draw a map still has the lists', async () => {
  const blind = await launch(['--disable-3d-apis'])
  try {
    const other = await open(blind, mock.url)
    await logIn(other.page, 'lanshan', PASSWORD)
    await other.page.waitForSelector('.impossible')
    await other.page.locator('.row a').first().click()
    await other.page.waitForSelector('[data-panel="patrol"]')
    await picture(other.page, 'state-no-map')
  } finally {
    await blind.close()
  }
})

test('two thousand routes are thin, and their list is as quick as any', async () => {
  const crowd = await startMock({ patrols: 1956 })
  try {
    const other = await open(browser, crowd.url)
    await logIn(other.page, 'lanshan', PASSWORD)
    await other.page.waitForSelector('.row')
    await mapIdle(other.page)
    assert.equal(plain(await other.page.textContent('caption')), '共 1956 次巡查')
    assert.ok((await other.page.locator('.row').count()) < 150, 'only rows in sight are drawn')
    await picture(other.page, 'state-many')
    await other.page.locator('.row a').nth(5).click()
    await other.page.waitForSelector('[data-panel="patrol"]')
    await mapIdle(other.page)
    await picture(other.page, 'state-many-chosen')
    other.assertQuiet()
    await other.close()
  } finally {
    await crowd.close()
  }
})

test('narrow and wide, nothing is cut off or runs over', async () => {
  await enter()
  await settled()
  for (const [width, height] of [
    [1024, 768],
    [1440, 900],
    [1920, 1080],
  ]) {
    await page.setViewportSize({ width, height })
    await mapIdle(page)
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.equal(over, 0, `at ${width} the page is no wider than the window`)
    const bar = await page.locator('.bar > *, .rest > *').evaluateAll((parts) =>
      parts.map((part) => {
        const { left, right } = part.getBoundingClientRect()
        return [Math.round(left), Math.round(right)]
      }),
    )
    for (const [left, right] of bar) assert.ok(left >= 0 && right <= width, `${bar.join(' ')}`)
    await picture(page, `width-${width}`)
  }
})
