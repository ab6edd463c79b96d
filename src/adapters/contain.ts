import { isPromise } from '../decisions/maybe-promise.js'

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

const warningIntervalMs = 60_000
const warnedAt = new Map<string, number>()

/** Tells the process, the same thing once a minute at most: what fails at each request must not flood the log. */
export function warn(message: string): void {
  const now = performance.now()
  if (now - (warnedAt.get(message) ?? -Infinity) < warningIntervalMs) return
  // Messages are few, but nothing here may grow for ever.
  if (warnedAt.size > 100) warnedAt.clear()
  warnedAt.set(message, now)
  process.emitWarning(message, 'ClienteleWarning')
}
