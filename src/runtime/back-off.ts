const firstMs = 1000

/** How long to leave alone what has failed: doubling, less up to a quarter at random, so that many do not come back at once. */
export function backOffMs(failures: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** (failures - 1)) * (1 - Math.random() / 4)
}
