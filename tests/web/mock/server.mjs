// Serves the built page and the mock API on one origin, with the headers that
// the real server sends (sync-server/web/README.md).
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { makeApi } from './api.mjs'

const DIST = fileURLToPath(new URL('../../../sync-server/web/dist/', import.meta.url))

/** The content policy: the page needs nothing but its own origin. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** @param {import('node:http').IncomingMessage} request @returns {Promise<string>} */
async function bodyOf(request) {
  let body = ''
  for await (const part of request) body += part
  return body
}

/** @param {string} path @param {import('node:http').ServerResponse} response */
function sendFile(path, response) {
  const wanted = join(DIST, normalize(path))
  const isFile = wanted.startsWith(DIST) && existsSync(wanted) && statSync(wanted).isFile()
  if (!isFile && extname(path)) {
    response.writeHead(404).end()
    return
  }
  const file = isFile ? wanted : join(DIST, 'index.html')
  response.writeHead(200, {
    'Content-Type': TYPES[/** @type {keyof typeof TYPES} */ (extname(file))],
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cache-Control': path.startsWith('/assets/')
      ? 'public, max-age=31536000, immutable'
      : 'no-cache',
  })
  createReadStream(file).pipe(response)
}

/** @param {{port?: number, patrols?: number}} options */
export async function startMock({ port = 0, patrols = 12 } = {}) {
  const api = makeApi({ patrols })
  let reachable = true
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://mock')
    if (!url.pathname.startsWith('/api/')) {
      sendFile(url.pathname, response)
      return
    }
    if (!reachable) {
      request.socket.destroy()
      return
    }
    const { status, body, headers } = api.answer({
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      cookie: request.headers.cookie ?? '',
      csrf: request.headers['x-gridwalk'] === '1',
      body: await bodyOf(request),
    })
    if (Buffer.isBuffer(body)) {
      response.writeHead(status, { ...headers, 'Content-Type': 'image/png' }).end(body)
      return
    }
    const json = body === undefined ? '' : JSON.stringify(body)
    response
      .writeHead(status, {
        ...headers,
        'Content-Type': 'application/json',
        'Content-Encoding': 'gzip',
        'Cache-Control': 'no-store',
      })
      .end(gzipSync(json))
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(null)))
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://127.0.0.1:${address.port}`,
    api,
    /** Whether calls of the API get an answer at all. @param {boolean} yes */
    setReachable(yes) {
      reachable = yes
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
