import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import { ClienteleFault, isOutage } from '../decisions/faults.js'
import { deadline } from '../runtime/deadline.js'
import { freezeDeep, readRecord } from './check-record.js'
import type { Contract, Identity, Tier } from './model.js'
import { holds, prepareClient, type PreparedClient } from './prepared-client.js'
import { isId, isIssuer } from './schema-words.js'
import type { ContractReader } from './store.js'

/** A reader whose answers can be relied on: checked, frozen, and about what was asked. */
export interface CheckedReader {
  findClient(identity: Identity): MaybePromise<PreparedClient | undefined>
  findContract(client: string, api: string): MaybePromise<Contract | undefined>
  findTier(api: string, name: string): MaybePromise<Tier | undefined>
}

/**
 * For whoever decides on requests: any reader, a user's own object too, with each failure made one
 * `ERR_CLIENTELE_STORE` (503) and never "no such thing". A record other than the one asked for is "no such
 * thing": a database that compares loosely must not hand one client's credentials to another.
 */
export function checkedReader(reader: ContractReader, options: { readonly timeoutMs: number }): CheckedReader {
  const later = laterWithin(options.timeoutMs)
  return {
    findClient(identity) {
      if (!isId(identity.clientId) || !isIssuer(identity.issuer)) return undefined
      try {
        const found: unknown = reader.findClient(identity)
        return isPromise(found) ? later(found, (one) => ownClient(identity, one)) : ownClient(identity, found)
      } catch (error) {
        throw storeFault(error)
      }
    },
    findContract(client, api) {
      try {
        const found: unknown = reader.findContract(client, api)
        return isPromise(found) ? later(found, (one) => ownContract(client, api, one)) : ownContract(client, api, found)
      } catch (error) {
        throw storeFault(error)
      }
    },
    findTier(api, name) {
      try {
        const found: unknown = reader.findTier(api, name)
        return isPromise(found) ? later(found, (one) => ownTier(api, name, one)) : ownTier(api, name, found)
      } catch (error) {
        throw storeFault(error)
      }
    },
  }
}

function ownClient(identity: Identity, found: unknown): PreparedClient | undefined {
  const client = prepared(found)
  return client !== undefined && holds(client.record, identity) ? client : undefined
}

function ownContract(client: string, api: string, found: unknown): Contract | undefined {
  const contract = contractOf(found)
  return contract?.client === client && contract.api === api ? contract : undefined
}

function ownTier(api: string, name: string, found: unknown): Tier | undefined {
  const tier = tierOf(found)
  return tier?.api === api && tier.name === name ? tier : undefined
}

/** Only where a store has to be waited for: the closures that it takes are not made for an answer at hand. */
function laterWithin(timeoutMs: number) {
  return <T>(found: Promise<unknown>, read: (found: unknown) => T): Promise<T> =>
    deadline(Promise.resolve(found), timeoutMs, () => tooLate(timeoutMs))
      .then(read)
      .catch((error: unknown) => {
        throw storeFault(error)
      })
}

function tooLate(timeoutMs: number): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STORE', `The contract store gave no answer in ${String(timeoutMs)} ms.`)
}

function storeFault(error: unknown): ClienteleFault {
  if (isOutage(error)) return error
  const message = 'The contract store failed, or answered with a record that is not valid.'
  return new ClienteleFault('ERR_CLIENTELE_STORE', message, { cause: error })
}

/** By the object that the store gave: the same object again costs one look-up, a new one a check. */
const prepared = once((found) => prepareClient(readRecord('client', found)))
const contractOf = once((found) => readRecord('contract', found))
const tierOf = once((found) => readRecord('tier', found))

function once<T>(read: (found: object) => T): (found: unknown) => T | undefined {
  const known = new WeakMap<object, T>()
  return (found) => {
    if (found === undefined || found === null) return undefined
    if (typeof found !== 'object') throw new TypeError('A store answers with records or undefined.')
    const before = known.get(found)
    if (before !== undefined) return before
    // Frozen before it is checked: what was checked must be what is used later, in the store's hands too.
    freezeDeep(found)
    const record = read(found)
    known.set(found, record)
    return record
  }
}
