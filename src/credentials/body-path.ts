import { z } from 'zod'
import type { BodyPath } from '../decisions/http-request.js'

const name = z.string().min(1).refine(isWellFormed, 'expected text without half a character')
const dotted = name
  .refine((text) => !text.split('.').includes(''), 'expected a name, or names with dots between them')
  // Taken for names, `$.auth.id` and `/auth/id` would never find anything, nor say so.
  .refine(
    (text) => !/[$/[\]]/.test(text),
    "expected names with dots between them (no JSONPath, no JSON pointer); a name with $, /, [ or ] is written as a list: ['$.x']",
  )

/** Where a value stands in a body, as it is written in options. */
export const bodyPath = z.union([dotted, z.array(name).min(1).readonly()])

export function pathOf(option: string | readonly string[]): BodyPath {
  return typeof option === 'string' ? option.split('.') : option
}

export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}
