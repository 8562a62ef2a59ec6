/// <reference types="vite/client" />

declare module 'virtual:tokens.css'

// For the linter, which reads single files; vue-tsc sees the real types.
declare module '*.vue' {
  import type { DefineComponent } from 'vue'

  const component: DefineComponent
  export default component
}
