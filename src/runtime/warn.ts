const intervalMs = 60_000
const warnedAt = new Map<string, number>()

/** Tells the process, the same thing once a minute at most: what fails at each request must not flood the log. */
export function warn(message: string): void {
  const now = performance.now()
  if (now - (warnedAt.get(message) ?? -Infinity) < intervalMs) return
  // Messages are few, but nothing here may grow for ever.
  if (warnedAt.size > 100) warnedAt.clear()
  warnedAt.set(message, now)
  process.emitWarning(message, 'ClienteleWarning')
}
