/**
 * How often what goes by chance is tried: seldom where somebody waits for it, and often in CI, on the first of its
 * Nodes.
 */
export function rounds(usual: number, thorough: number): number {
  return process.env.CI === undefined || process.env.CLIENTELE_ROUNDS === 'usual' ? usual : thorough
}
