import type { DescribedIssuer } from '../../decisions/policy-description.js'
import { boundedFetch } from '../../runtime/bounded-fetch.js'
import { vetKeys } from '../../tokens/keys/vet-keys.js'
import type { ConfigFile } from '../config-file.js'
import { all, clockToleranceMs, type Check, type Patient } from './checks.js'

const limits = { timeoutMs: 5000, maxResponseBytes: 512 * 1024 }

/** Of every issuer whose tokens the routes take: by the policies' own fetching, and by a look at what it publishes. */
export function issuerChecks({ config }: Patient): readonly Check[] {
  if (config === undefined) return []
  const issuers = describedIssuers(config)
  if (issuers.length === 0) return []
  return [
    { name: 'the policies get metadata and keys', run: () => refreshAll(config) },
    ...issuers
      .filter(({ discovery }) => discovery)
      .map((issuer) => ({ name: `${issuer.issuer} is sane`, run: () => look(issuer) })),
  ]
}

function describedIssuers({ routes }: ConfigFile): readonly DescribedIssuer[] {
  const ways = routes.flatMap(({ guards }) => guards.flatMap(({ policy }) => policy.description?.ways ?? []))
  return [...new Map(ways.flatMap(({ issuer }) => (issuer ? [[issuer.issuer, issuer] as const] : []))).values()]
}

async function refreshAll({ routes }: ConfigFile): Promise<string | undefined> {
  const issuers = new Set(routes.flatMap(({ guards }) => guards.map(({ enforcedFor }) => enforcedFor.issuers)))
  await Promise.all([...issuers].map((each) => each.refresh()))
  return undefined
}

/** OpenID Connect Discovery first, RFC 8414 where there is none. */
async function look({ issuer, allowInsecureRequests }: DescribedIssuer): Promise<string | undefined> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const places = [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ]
  for (const place of places) {
    const began = Date.now()
    const response = await boundedFetch(place, {}, limits)
    if (response.status !== 200) continue
    const clock = clockDifference(response, began)
    const metadata = (await response.json()) as Readonly<Record<string, unknown>>
    const name = metadata['issuer'] === issuer ? [] : ['its metadata name another issuer']
    return all([...clock, ...name, ...(await keyProblems(metadata['jwks_uri'], allowInsecureRequests))])
  }
  return 'it publishes no metadata'
}

/** To the second, which is as fine as the field is. */
function clockDifference({ headers }: Response, began: number): readonly string[] {
  const at = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(at)) return []
  const difference = Math.round((at - (began + Date.now()) / 2) / 1000)
  return Math.abs(difference) * 1000 > clockToleranceMs ? [`its clock is ${String(difference)} s from ours`] : []
}

async function keyProblems(uri: unknown, allowInsecure: boolean): Promise<readonly string[]> {
  // Who is asked about each token needs none.
  if (typeof uri !== 'string' || !URL.canParse(uri)) return []
  if (new URL(uri).protocol !== 'https:' && !allowInsecure) return ['its keys do not stand at an https URL']
  const response = await boundedFetch(uri, {}, limits)
  const keys = vetKeys(response.status === 200 ? await response.json() : undefined)
  if (keys === undefined) return ['it publishes no key set']
  const ignored = keys.ignored.map(({ kid, reason }) => `the key ${kid ?? 'without kid'} is not used: ${reason}`)
  return keys.size === 0 ? ['it publishes no key that can be used', ...ignored] : ignored
}
