import type { ServerResponse } from 'node:http'

/**
 * Shared caches know that `Authorization` makes an answer personal (RFC 9111 §3.5) and know it of no other
 * place. This keeps an answer to credentials that stood elsewhere out of them.
 */
export function makePrivate(response: ServerResponse, vary: readonly string[]): void {
  const given = response.getHeader('cache-control')
  response.setHeader('Cache-Control', given === undefined ? 'private' : privateDirectives(String(given)))
  if (vary.length > 0) response.setHeader('Vary', withNames(response.getHeader('vary'), vary))
}

const shared = /^(?:public|s-maxage\s*=.*|proxy-revalidate)$/i

function privateDirectives(given: string): string {
  // `private="set-cookie, …"` closes only those fields; nothing quoted is needed to close them all.
  if (given.includes('"')) return 'private'
  const directives = given
    .split(',')
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '' && !shared.test(directive))
  const closed = directives.some((directive) => /^(?:private|no-store)$/i.test(directive))
  return (closed ? directives : ['private', ...directives]).join(', ')
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
