/** `undefined` for nothing. */
export function textOf(reply: unknown): string | undefined {
  if (reply === null) return undefined
  if (typeof reply === 'string') return reply
  throw new TypeError('expected text: the client must not be set up to answer with anything else')
}

export function listOf(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply
  throw new TypeError('expected a list')
}
