// `npm run mock`: the mock server by itself, for `npm run dev` of the page.
import { parseArgs } from 'node:util'
import { PASSWORD } from './api.mjs'
import { startMock } from './server.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8411' },
    patrols: { type: 'string', default: '12' },
  },
})
const mock = await startMock({ port: Number(values.port), patrols: Number(values.patrols) })
console.log(`${mock.url}  lanshan / street / nobody  ${PASSWORD}`)
