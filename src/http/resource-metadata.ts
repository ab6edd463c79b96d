import { z } from 'zod'
import type { HttpReply } from './reply.js'

/** What this API says of itself to clients that know nothing of it (RFC 9728 §2). */
export interface ResourceOptions {
  /**
   * Its name as a resource, which tokens are asked for by: an https URL without a fragment. `http:` on this machine
   * alone, for trying out.
   */
  readonly identifier: string
  /** The issuers whose tokens it takes, byte for byte. */
  readonly authorizationServers: readonly string[]
  /** Scopes that requests may need. @default left out */
  readonly scopes?: readonly string[]
  /** Where a bearer token may stand. @default ['header'] */
  readonly bearerMethods?: readonly ('header' | 'body' | 'query')[]
  /** Further members by the names that RFC 9728 gives them: `resource_name`, `dpop_bound_access_tokens_required`. */
  readonly members?: Readonly<Record<string, unknown>>
}

const wellKnown = '/.well-known/oauth-protected-resource'
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
const text = z.string().min(1)

export const resourceSchema = z.strictObject({
  identifier: z.string().refine(isIdentifier, 'expected an https URL without fragment, user name and password'),
  authorizationServers: z.array(text).min(1).readonly(),
  scopes: z.array(text).min(1).readonly().optional(),
  bearerMethods: z
    .array(z.enum(['header', 'body', 'query']))
    .readonly()
    .optional(),
  members: z.record(text, z.json()).optional(),
})

export interface ResourceMetadata {
  /** Where they stand, for challenges (RFC 9728 §5.1). */
  readonly url: string
  /** The answer to a request; `undefined` for one that asks for something else. */
  answer(this: void, method: string | undefined, target: string): HttpReply | undefined
}

/** Made once: nothing in it depends on a request. */
export function resourceMetadata(options: ResourceOptions): ResourceMetadata {
  const { origin, pathname, search } = new URL(options.identifier)
  // RFC 9728 §3.1
  const target = wellKnown + (pathname === '/' ? '' : pathname) + search
  const reply: HttpReply = {
    status: 200,
    // Public, and read by applications in browsers.
    fields: {
      'Content-Type': 'application/json',
      'Cache-Control': 'public, max-age=3600',
      'Access-Control-Allow-Origin': '*',
    },
    body: JSON.stringify(documentOf(options)),
  }
  return {
    url: origin + target,
    answer: (method, asked) => (asked === target && (method === 'GET' || method === 'HEAD') ? reply : undefined),
  }
}

function documentOf({ identifier, authorizationServers, scopes, bearerMethods, members }: ResourceOptions): object {
  return {
    ...members,
    resource: identifier,
    authorization_servers: authorizationServers,
    ...(scopes !== undefined && { scopes_supported: scopes }),
    bearer_methods_supported: bearerMethods ?? ['header'],
  }
}

function isIdentifier(address: string): boolean {
  if (!URL.canParse(address) || address.includes('#')) return false
  const { protocol, hostname, username, password } = new URL(address)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname))
}
