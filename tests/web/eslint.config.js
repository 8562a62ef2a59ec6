import js from '@eslint/js'
import globals from 'globals'

export default [
  { ignores: ['node_modules'] },
  js.configs.recommended,
  {
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: { eqeqeq: 'error', 'no-unused-vars': ['error', { args: 'after-used' }] },
  },
]
