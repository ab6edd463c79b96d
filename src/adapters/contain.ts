/** For hooks and settlements of others: what they throw changes nothing, and comes back as `undefined`. */
export function contain<T>(hook: () => T): T | undefined {
  try {
    const result = hook()
    if (result instanceof Promise) result.catch(warn)
    return result
  } catch (error) {
    warn(error)
    return undefined
  }
}

const warningIntervalMs = 60_000
let lastWarningAt = -Infinity

/** Once in a while: a hook that fails at each request must not flood the log. */
function warn(error: unknown): void {
  if (performance.now() - lastWarningAt < warningIntervalMs) return
  lastWarningAt = performance.now()
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`A hook failed (${kind}). It cannot change a decision.`, 'ClienteleWarning')
}
