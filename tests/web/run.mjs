// All browser tests, one file after the other. With GRIDWALK_DEMO naming the
// demo's program, its server is started first and the walk goes through the
// real page over real data; with GRIDWALK_URL, GRIDWALK_USER and
// GRIDWALK_PASSWORD it goes to that server; else to the mock one.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'

const here = fileURLToPath(new URL('.', import.meta.url))
const FILES = ['walk', 'story', 'states', 'keyboard', 'records', 'axe'].map((name) =>
  join(here, `${name}.test.mjs`),
)
/** Twelve simulated workers replay a day before the page can be opened. */
const DEMO_READY_MS = 600_000

/** @param {string} program @param {string} data */
async function startDemo(program, data) {
  const ready = join(data, 'ready.json')
  const args = ['--listen', '127.0.0.1:0', '--data', join(data, 'demo'), '--ready-file', ready]
  const demo = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = new Promise((resolve) => demo.once('exit', (code) => resolve(code ?? 1)))
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  const last = Date.now() + DEMO_READY_MS
  for (;;) {
    if (isOver)
      throw new Error('The demo ended before its page could be opened: see its words above.')
    if (Date.now() > last) throw new Error('The demo did not become ready within ten minutes.')
    const written = await stat(ready).catch(() => null)
    if (written && written.size > 0) break
    await pause(200)
  }
  const { url, user, password } = JSON.parse(await readFile(ready, 'utf8'))
  return {
    env: { GRIDWALK_URL: url, GRIDWALK_USER: user, GRIDWALK_PASSWORD: password },
    async stop() {
      demo.kill('SIGINT')
      await ended
    },
  }
}

/** @param {Record<string, string>} env @returns {Promise<number>} */
function runTests(env) {
  const args = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...FILES]
  const tests = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return new Promise((resolve) => tests.once('exit', (code) => resolve(code ?? 1)))
}

const program = process.env.GRIDWALK_DEMO
let status
if (program && !process.env.GRIDWALK_URL) {
  const data = await mkdtemp(join(tmpdir(), 'gridwalk-web-'))
  try {
    const demo = await startDemo(program, data)
    try {
      status = await runTests(demo.env)
    } finally {
      await demo.stop()
    }
  } finally {
    await rm(data, { recursive: true, force: true })
  }
} else {
  status = await runTests({})
}
process.exitCode = status ?? 1
