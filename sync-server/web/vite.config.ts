import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { tokensPlugin } from './build/tokens.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// The development server passes /api on to a real server or to the mock one
// (tests/web: `npm run mock`).
const api = process.env.GRIDWALK_URL ?? 'http://127.0.0.1:8411'

export default defineConfig({
  plugins: [vue(), tokensPlugin(here('./tokens.json'))],
  resolve: { alias: { '@': here('./src') } },
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  server: { proxy: { '/api': { target: api, changeOrigin: true } } },
  worker: { format: 'es' },
  build: {
    target: ['chrome109', 'firefox115', 'safari16'],
    // A data: address in the bundle would ask for a looser content policy.
    assetsInlineLimit: 0,
    // MapLibre alone is over 1 MB; it is its own file, fetched once.
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: 'maplibre', test: /node_modules[\\/]maplibre-gl/ }] },
      },
    },
  },
  test: { include: ['src/**/*.test.ts', 'build/**/*.test.ts'], environment: 'node' },
})
