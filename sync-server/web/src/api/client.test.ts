import { expect, test } from 'vitest'
import { kindOf } from './client'

test.each([
  [401, 'signed_out', 'signed_out'],
  [401, 'wrong_credentials', 'wrong_credentials'],
  [401, undefined, 'signed_out'],
  [403, 'forbidden', 'forbidden'],
  [404, 'not_found', 'not_found'],
  [429, 'too_many_attempts', 'too_many_attempts'],
  [500, 'internal', 'failed'],
  [502, undefined, 'failed'],
])('%d %s is %s', (status, code, kind) => {
  expect(kindOf(status, code)).toBe(kind)
})
