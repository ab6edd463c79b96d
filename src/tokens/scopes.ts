/** The scopes that a route asks for: all of a list, or any one of it. */
export type Scopes = readonly string[] | { readonly any: readonly string[] }

const none: readonly string[] = Object.freeze([])

/** The scopes of a token: `scope`, or else `scp`, each as a space-separated string (RFC 8693 §4.2) or a list. */
export function scopesOf(claims: Readonly<Record<string, unknown>>): readonly string[] {
  const value = claims['scope'] ?? claims['scp']
  if (typeof value === 'string') return Object.freeze(value.split(' ').filter((scope) => scope !== ''))
  if (!Array.isArray(value)) return none
  return Object.freeze(value.filter((scope): scope is string => typeof scope === 'string'))
}

export function satisfies(held: readonly string[], wanted: Scopes): boolean {
  return 'any' in wanted
    ? wanted.any.some((scope) => held.includes(scope))
    : wanted.every((scope) => held.includes(scope))
}

/** As the `scope` parameter of a challenge (RFC 6750 §3) has them. */
export function scopesText(wanted: Scopes): string {
  return ('any' in wanted ? wanted.any : wanted).join(' ')
}
