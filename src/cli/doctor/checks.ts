import type { Counter } from '../../limits/counter.js'
import type { Session } from '../session.js'

/** What a check is given to look at. */
export interface Patient extends Session {
  readonly counter: Counter | undefined
}

/**
 * One look. It resolves to what is wrong, or to nothing. `undefined` in place of a check: there is nothing to look at
 * here.
 */
export interface Check {
  readonly name: string
  run(this: void): Promise<string | undefined>
}

/** By how much clocks may differ before tokens and windows suffer. */
export const clockToleranceMs = 60_000

export function all(problems: readonly string[]): string | undefined {
  return problems.length === 0 ? undefined : problems.join('; ')
}
