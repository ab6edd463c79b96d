import type { ServerResponse } from 'node:http'

/**
 * Shared caches know that `Authorization` makes an answer personal (RFC 9111 §3.5) and know it of no other
 * place. This keeps an answer to credentials that stood elsewhere out of them.
 */
export function makePrivate(response: ServerResponse, vary: readonly string[]): void {
  const given = response.getHeader('cache-control')
  response.setHeader('Cache-Control', given === undefined ? 'private' : privateDirectives(String(given)))
  // Caches that have a field of their own look at no other (RFC 9213).
  for (const name of targeted) if (response.hasHeader(name)) response.setHeader(name, 'no-store')
  if (vary.length > 0) response.setHeader('Vary', withNames(response.getHeader('vary'), vary))
}

const targeted = ['cdn-cache-control', 'surrogate-control']
const shared = /^(?:public|private|s-maxage\s*=.*|proxy-revalidate|must-understand)$/i

/** Beside `no-store` too: a cache that understands the status may pass over it (RFC 9111 §5.2.2.3). */
function privateDirectives(given: string): string {
  // `private="set-cookie, …"` closes only those fields; nothing quoted is needed to close them all.
  if (given.includes('"')) return 'private'
  const kept = given.split(',').map((directive) => directive.trim())
  return ['private', ...kept.filter((directive) => directive !== '' && !shared.test(directive))].join(', ')
}

function withNames(given: number | string | string[] | undefined, names: readonly string[]): string {
  const present =
    given === undefined
      ? []
      : String(given)
          .split(',')
          .map((name) => name.trim())
  const known = new Set(present.map((name) => name.toLowerCase()))
  return known.has('*') ? '*' : [...present, ...names.filter((name) => !known.has(name))].join(', ')
}
