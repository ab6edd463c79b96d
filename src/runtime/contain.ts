import { isPromise } from '../decisions/maybe-promise.js'
import { warn } from './warn.js'

/** For hooks and settlements of others: what they throw changes nothing, and comes back as `undefined`. */
export function contain<A extends unknown[], T>(hook: (...parameters: A) => T, ...parameters: A): T | undefined {
  try {
    const result = hook(...parameters)
    // Whatever can be waited for may reject, and nobody else would notice.
    if (isPromise(result)) Promise.resolve(result).catch(failed)
    return result
  } catch (error) {
    failed(error)
    return undefined
  }
}

function failed(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  warn(`A hook failed (${kind}). It cannot change a decision.`)
}
