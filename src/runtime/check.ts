import { closest, distance } from 'fastest-levenshtein'
import type { z } from 'zod'
import { ClienteleFault, type FaultCode } from '../decisions/faults.js'

/**
 * For checking options where a policy, store or source is built, so that a mistake shows at start-up.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function checkOptions<T>(where: string, schema: z.ZodType<T>, options: unknown): T {
  return check('ERR_CLIENTELE_OPTIONS', where, schema, options)
}

/** The same for what a schema cannot say. `where` is the function whose options they are: `validateJwt()`. */
export function optionsFault(where: string, what: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_OPTIONS', `${where}: ${what}`)
}

/**
 * For whatever comes from outside: the value as its schema has it, or a fault with every place and what was
 * expected there. The message never holds a value: options and records hold secrets. An unknown name stands
 * beside the nearest known one.
 */
export function check<T>(
  code: 'ERR_CLIENTELE_OPTIONS' | 'ERR_CLIENTELE_INVALID',
  where: string,
  schema: z.ZodType<T>,
  value: unknown,
): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const known = 'shape' in schema ? Object.keys(schema.shape as object) : []
  const lines = result.error.issues.map((issue) => `${where}: ${explain(issue, nounOf[code], known)}`)
  throw new ClienteleFault(code, lines.join('\n'))
}

const nounOf = { ERR_CLIENTELE_OPTIONS: 'option', ERR_CLIENTELE_INVALID: 'member' } as const satisfies Partial<
  Record<FaultCode, string>
>

function explain(issue: z.core.$ZodIssue, noun: string, known: readonly string[]): string {
  const place = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  if (issue.code !== 'unrecognized_keys') return `${place}${issue.message}`
  const names = issue.path.length === 0 ? known : []
  return issue.keys.map((key) => `${place}unknown ${noun} ${JSON.stringify(key)}${suggestion(key, names)}`).join(', ')
}

/** Only a name that could be the same with a slip or two. */
function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const nearest = closest(key, [...known])
  return distance(key, nearest) <= Math.max(1, key.length / 2)
    ? `; did you mean "${nearest}"?`
    : `; known: ${known.join(', ')}`
}
