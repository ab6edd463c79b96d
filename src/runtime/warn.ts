const intervalMs = 60_000
const warnedAt = new Map<string, number>()

/** Tells the process, the same thing once a minute at most. The messages are few and fixed. */
export function warn(message: string): void {
  const now = performance.now()
  if (now - (warnedAt.get(message) ?? -Infinity) < intervalMs) return
  warnedAt.set(message, now)
  process.emitWarning(message, 'ClienteleWarning')
}
