import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { monotonicClock } from '../../runtime/clock.js'
import { boundedFetch } from '../bounded-fetch.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf, type IssuerSettings } from '../issuer-settings.js'
import { Refreshed } from '../refreshed.js'
import type { KeySet, KeySource } from './key-source.js'
import { vetKeys, type VettedKeys } from './vet-keys.js'

/**
 * Between two fetches for a key that nobody knows. Not counted from the ordinary fetches: a key may turn right after
 * one. Short, since whoever sends random `kid`s can keep good tokens of a key that has just turned waiting for it.
 */
const unknownKeyCooldownMs = 5000

/** Keys that an issuer publishes. `locate` says where, each time anew. */
export function remoteKeys(settings: IssuerSettings, locate: () => MaybePromise<string>): KeySource {
  const keys = new Refreshed<VettedKeys>({
    ...settings,
    load: async () => fetchKeys(await locate(), settings),
    equal: (a, b) => a.identity === b.identity,
  })
  let askedForUnknownAt = -Infinity

  return {
    current: () => keys.current(),
    isFresh: (set) => keys.isFresh(set as VettedKeys),
    after: async (set: KeySet) => {
      const now = await keys.current()
      if (now !== set || monotonicClock() - askedForUnknownAt < unknownKeyCooldownMs) return now
      const renewed = await keys.renew()
      // Only an answer starts the cool-down: while there is none, the back-off spares the issuer, and a token
      // whose key could not be asked for must not be called bad.
      askedForUnknownAt = monotonicClock()
      return renewed
    },
  }
}

async function fetchKeys(uri: string, settings: IssuerSettings): Promise<VettedKeys> {
  const where = hostOf(uri)
  const content = await fetchJson(uri, settings).catch((error: unknown) => {
    throw issuerFault(where, 'its key set cannot be fetched.', error)
  })
  const keys = vetKeys(content)
  if (keys === undefined) throw issuerFault(where, 'what it publishes as its key set is none.')
  return keys.size > 0
    ? keys
    : { ...keys, find: () => Promise.reject(issuerFault(where, 'its key set has no key to use.')) }
}

async function fetchJson(uri: string, settings: IssuerSettings): Promise<unknown> {
  const headers = { accept: 'application/jwk-set+json, application/json' }
  const response = await boundedFetch(uri, { headers }, settings)
  if (response.status !== 200) throw new Error('unexpected status')
  return response.json()
}
