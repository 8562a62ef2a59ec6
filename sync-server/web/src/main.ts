import { createApp } from 'vue'
import 'virtual:tokens.css'
import './styles/base.css'
import App from './App.vue'
import { i18n } from './i18n'
import { startClock } from './state/clock'

startClock()
createApp(App).use(i18n).mount('#app')
