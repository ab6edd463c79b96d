import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { boundedFetch } from '../../runtime/bounded-fetch.js'
import type { TellIssuerEvent } from '../issuer-event.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf, type IssuerSettings } from '../issuer-settings.js'
import { Refreshed } from '../refreshed.js'
import type { KeySource } from './key-source.js'
import { UnknownKeys } from './unknown-keys.js'
import { vetKeys, type VettedKeys } from './vet-keys.js'

/** Keys that an issuer publishes. `locate` says where, each time anew. */
export function remoteKeys(
  settings: IssuerSettings,
  locate: () => MaybePromise<string>,
  tell: TellIssuerEvent,
): KeySource {
  const { issuer } = settings
  const tellIgnored = ignoredKeysTeller(issuer, tell)
  const keys = new Refreshed<VettedKeys>({
    ...settings,
    load: async () => {
      const fetched = await fetchKeys(await locate(), settings)
      tellIgnored(fetched)
      return fetched
    },
    equal: (a, b) => a.identity === b.identity,
    onFailure: (fault, usableSeconds) => {
      tell({ kind: 'fetch_failed', issuer, reason: fault.reason, fault, usableSeconds })
    },
  })
  const unknown = new UnknownKeys(keys, hostOf(issuer))
  return {
    fresh: () => keys.fresh(),
    current: () => keys.current(),
    after: (set, kid) => unknown.after(set, kid),
    refresh: () => keys.refresh(),
  }
}

async function fetchKeys(uri: string, settings: IssuerSettings): Promise<VettedKeys> {
  const where = hostOf(uri)
  const content = await fetchJson(uri, settings).catch((error: unknown) => {
    throw issuerFault(where, 'answer', 'its key set cannot be fetched.', { cause: error })
  })
  const keys = vetKeys(content)
  if (keys === undefined) throw issuerFault(where, 'answer', 'what it publishes as its key set is none.')
  return keys.size > 0 ? keys : { ...keys, candidates: () => failWithoutKeys(where) }
}

/** Such a set is taken all the same: the keys that it no longer has are withdrawn. */
function failWithoutKeys(where: string): never {
  throw issuerFault(where, 'keys', 'its key set has no key to use.')
}

async function fetchJson(uri: string, settings: IssuerSettings): Promise<unknown> {
  const headers = { accept: 'application/jwk-set+json, application/json' }
  const response = await boundedFetch(uri, { headers }, settings)
  if (response.status !== 200) {
    throw issuerFault(hostOf(uri), 'status', `it answers a request for its key set with ${response.status}.`)
  }
  return response.json()
}

/** Tells of keys that are not used when they are first seen, not at each fetch. */
function ignoredKeysTeller(issuer: string, tell: TellIssuerEvent): (keys: VettedKeys) => void {
  let told = '[]'
  return ({ ignored }) => {
    const text = JSON.stringify(ignored)
    if (text === told) return
    told = text
    for (const { kid, reason } of ignored) tell({ kind: 'key_ignored', issuer, kid: plainOf(kid), reason })
  }
}

/** Logs are read by terminals, and a name may be of any characters. */
function plainOf(kid: string | undefined): string | undefined {
  return kid !== undefined && /^[\x21-\x7e]{1,200}$/.test(kid) ? kid : undefined
}
