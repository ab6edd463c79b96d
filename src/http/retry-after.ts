const largestShare = 0.1
const longestSeconds = 60

/**
 * Whole seconds after which to come back: never before `seconds` have passed, and not all at once. Those who were
 * refused in one window would otherwise stand at the door together when the next begins, so that up to a tenth more
 * is asked of each, a minute at most.
 */
export function retryAfterSeconds(seconds: number): number {
  const earliest = Math.max(1, Math.ceil(seconds))
  return earliest + Math.floor(Math.random() * (1 + Math.min(earliest * largestShare, longestSeconds)))
}
