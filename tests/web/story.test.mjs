// The demo's day as docs and README promise it, read from its page. Runs against
// the demo's server alone, which GRIDWALK_URL, GRIDWALK_USER and
// GRIDWALK_PASSWORD name.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask, launch, logIn, open, plain } from './browser.mjs'

const { GRIDWALK_URL: url, GRIDWALK_USER: user, GRIDWALK_PASSWORD: password } = process.env
const demo = { skip: url ? false : 'no demo runs: GRIDWALK_URL is not set' }

/** @type {import('playwright-core').Browser} */
let browser
/** @type {import('playwright-core').Page} */
let page
/** @type {any} */
let day
/** What the day's grid and date are to the server. */
let query = ''

before(async () => {
  if (demo.skip) return
  browser = await launch()
  page = (await open(browser, url ?? '')).page
  await logIn(page, user ?? '', password ?? '')
  await page.waitForSelector('[role="tablist"]')
  const me = await ask(page, '/api/me')
  query = `date=${me.latest_day}&grid=${me.grid.id}`
  day = await ask(page, `/api/day?${query}`)
})
after(async () => {
  await browser?.close()
})

/** The incident of this title, whole. @param {string} title */
async function told(title) {
  const found = day.incidents.filter((/** @type {any} */ i) => i.title === title)
  assert.equal(found.length, 1, title)
  return ask(page, `/api/incidents/${found[0].id}`)
}

/** @param {any} detail */
const way = (detail) => detail.history.map((/** @type {any} */ step) => step.to)

test('twelve workers walk twice and report', demo, () => {
  const workers = new Set(day.patrols.map((/** @type {any} */ p) => p.worker.id))
  assert.equal(workers.size, 12)
  assert.equal(day.patrols.length, 24)
  assert.ok(day.incidents.length >= 30, `${day.incidents.length} incidents`)
})

test('one incident goes up to the top, with reason at every level', demo, async () => {
  const detail = await told('沿街饭店超量存放液化气瓶')
  const up = detail.history.filter((/** @type {any} */ step) => step.to === 'escalated')
  assert.equal(up.length, 3, 'worker, community, street')
  assert.ok(up.every((/** @type {any} */ step) => step.reason))
  assert.deepEqual(way(detail).slice(-3), ['accepted', 'dispatched', 'in_progress'])
})

test('one is resolved with proof, verified and closed', demo, async () => {
  const detail = await told('人行道井盖松动')
  assert.deepEqual(way(detail), [
    'reported',
    'escalated',
    'accepted',
    'dispatched',
    'in_progress',
    'resolved',
    'verified',
    'closed',
  ])
  const resolved = detail.history.find((/** @type {any} */ step) => step.to === 'resolved')
  assert.ok(resolved.photos.length > 0 && resolved.photos.every((/** @type {any} */ p) => p.here))
})

test('one is overdue, and the list says so in words', demo, async () => {
  const detail = await told('小河沟漂浮垃圾')
  assert.equal(detail.incident.status, 'in_progress')
  assert.equal(detail.incident.overdue, true)
  await page.click('#tab-incidents')
  const row = page.locator(`[data-row="${detail.incident.id}"]`)
  assert.match(plain(await row.innerText()), /已逾期/)
})

test(
  'one dispute is handled on the spot and closed; who mediated is told to few',
  demo,
  async () => {
    const closed = day.incidents.filter(
      (/** @type {any} */ i) => i.category === 'family_dispute' && i.status === 'closed',
    )
    assert.equal(closed.length, 1)
    const detail = await ask(page, `/api/incidents/${closed[0].id}`)
    assert.deepEqual(way(detail), ['reported', 'handled_on_site', 'closed'])
    const { records } = await ask(page, `/api/records?${query}`)
    assert.ok(records.every((/** @type {any} */ r) => r.kind !== 'mediation'))
    const mediated = await ask(page, `/api/records?${query}&kind=mediation`)
    assert.deepEqual(mediated.records, [], 'the street is none of its readers')
  },
)

test('a task is done with proof, a notice is read, a household is visited', demo, async () => {
  const { records } = await ask(page, `/api/records?${query}`)
  /** @param {string} kind @param {string} title */
  const whole = async (kind, title) => {
    const found = records.find((/** @type {any} */ r) => r.kind === kind && r.title === title)
    assert.ok(found, title)
    return ask(page, `/api/records/${kind}/${found.id}`)
  }
  const task = await whole('task', '核实燃气软管更换情况')
  assert.equal(task.record.status, 'done')
  assert.ok(task.photos.length + task.history.at(-1).photos.length > 0, 'with a photo')
  const notice = await whole('notice', '今日大风，注意高空坠物')
  assert.ok(notice.read_by.length > 0)
  await whole('visit', '独居老人家（合成）')
})
