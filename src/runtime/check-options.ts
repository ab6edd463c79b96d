import { closest, distance } from 'fastest-levenshtein'
import type { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'

/**
 * For checking options where a policy, store or source is built, so that a mistake shows at start-up. Unknown
 * options are named beside the nearest known one. The message names places and expectations, never values:
 * options hold secrets.
 */
export function checkOptions<T>(where: string, schema: z.ZodType<T>, options: unknown): T {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const known = 'shape' in schema ? Object.keys(schema.shape as object) : []
  throw new ClienteleFault(
    'ERR_CLIENTELE_OPTIONS',
    result.error.issues.map((issue) => `${where}: ${explain(issue, known)}`).join('\n'),
  )
}

/** One issue as place and remedy, without the value that was given. */
export function explain(issue: z.core.$ZodIssue, known: readonly string[] = []): string {
  const place = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  if (issue.code !== 'unrecognized_keys') return `${place}${issue.message}`
  const names = issue.path.length === 0 ? known : []
  return issue.keys.map((key) => `${place}unknown option "${key}"${suggestion(key, names)}`).join(', ')
}

/** Only a name that could be the same with a slip or two. */
function suggestion(key: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const nearest = closest(key, [...known])
  return distance(key, nearest) <= Math.max(1, key.length / 2)
    ? `; did you mean "${nearest}"?`
    : `; known: ${known.join(', ')}`
}
