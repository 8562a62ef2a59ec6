// The choice of the moment, kept in step with the address bar: a change is a
// step in the browser's history, and back and forward change the choice.
import { shallowRef } from 'vue'
import { formatChoice, parseChoice, type Choice } from './url'

export const choice = shallowRef<Choice>(parseChoice(window.location.search))

window.addEventListener('popstate', () => {
  choice.value = parseChoice(window.location.search)
})

function merged(change: Partial<Choice>): Choice {
  const next = { ...choice.value, ...change }
  // A part belongs to the patrol it was chosen with.
  if ('chosen' in change && !('part' in change)) next.part = null
  return next
}

/** The address that a change would lead to, for links. */
export function hrefFor(change: Partial<Choice>): string {
  return formatChoice(merged(change)) || window.location.pathname
}

/** Changes the choice, as a new step of the browser's history. */
export function choose(change: Partial<Choice>): void {
  const next = merged(change)
  const search = formatChoice(next)
  if (search !== formatChoice(choice.value)) {
    window.history.pushState(null, '', search || window.location.pathname)
  }
  choice.value = next
}
