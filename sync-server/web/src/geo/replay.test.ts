import { expect, test } from 'vitest'
import { replaySpan, whereabouts } from './replay'
import { detail } from './testing'

const walked = detail(
  [
    {
      points: [
        [118, 35, 1000],
        [118.5, 35, 2000],
        [118.5, 36, 4000],
      ],
    },
    { points: [[119, 36, 9000]] },
  ],
  { gaps: [{ from_ms: 4000, to_ms: 9000, cause: 'phone_off', from: [118.5, 36], to: [119, 36] }] },
)

test('the span is from the first fix to the last', () => {
  expect(replaySpan(walked)).toEqual({ fromMs: 1000, toMs: 9000 })
  expect(replaySpan(detail([]))).toBeNull()
})

test.each([
  [1000, [118, 35]],
  [1500, [118.25, 35]],
  [2000, [118.5, 35]],
  [3000, [118.5, 35.5]],
  [4000, [118.5, 36]],
  [9000, [119, 36]],
])('at %d the place is known', (ms, at) => {
  expect(whereabouts(walked, ms)).toEqual({ kind: 'known', at })
})

test('in a gap nobody knows the place, only the cause', () => {
  const answer = whereabouts(walked, 6000)
  expect(answer.kind).toBe('gap')
  expect(answer.kind === 'gap' && answer.gap?.cause).toBe('phone_off')
})

test('between two segments without a gap the place is not made up', () => {
  const bare = { ...walked, gaps: [] }
  expect(whereabouts(bare, 6000)).toEqual({ kind: 'gap', gap: null })
})
