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

/** For an option that is a port: somebody's own object is known by its functions. */
export function hasFunctions(...names: readonly string[]): (value: unknown) => boolean {
  return (value) =>
    typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'function')
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
  if (issue.code !== 'unrecognized_keys' || issue.message.startsWith(unknown)) return `${place}${issue.message}`
  const names = issue.path.length === 0 ? known : []
  const shown = issue.keys.slice(0, 3)
  const named = shown.map((key) => `${place}${unknown}${noun} ${JSON.stringify(key)}${suggestion(key, names)}`)
  const more = issue.keys.length - shown.length
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}

const unknown = 'unknown '

/** For an object within others: what it is told of a name that it does not know. */
export function unknownMember(known: readonly string[]): z.core.$ZodErrorMap {
  return (issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `${unknown}member ${JSON.stringify(key)}${suggestion(key, known)}`).join(', ')
      : undefined
}

/** Only a name that could be the same with a slip or two, or that was cut short. */
function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const nearest = known.find((name) => isPartOf(key, name)) ?? closest(key, [...known])
  return isPartOf(key, nearest) || distance(key, nearest) <= Math.max(1, key.length / 2)
    ? `; did you mean "${nearest}"?`
    : `; known: ${known.join(', ')}`
}

function isPartOf(key: string, name: string): boolean {
  return key.length > 3 && name.toLowerCase().includes(key.toLowerCase())
}
