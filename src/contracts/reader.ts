import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import { ClienteleFault, isOutage } from '../decisions/faults.js'
import { deadline } from '../runtime/deadline.js'
import { checkRecord, freezeDeep } from './check-record.js'
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
  const { timeoutMs } = options
  return {
    findClient(identity) {
      if (!isId(identity.clientId) || !isIssuer(identity.issuer)) return undefined
      return answered(
        timeoutMs,
        () => reader.findClient(identity),
        (found) => ownClient(identity, found),
      )
    },
    findContract(client, api) {
      return answered(
        timeoutMs,
        () => reader.findContract(client, api),
        (found) => ownContract(client, api, found),
      )
    },
    findTier(api, name) {
      return answered(
        timeoutMs,
        () => reader.findTier(api, name),
        (found) => ownTier(api, name, found),
      )
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

function answered<T>(timeoutMs: number, ask: () => unknown, read: (found: unknown) => T): MaybePromise<T> {
  let found: unknown
  try {
    found = ask()
    if (!isPromise(found)) return read(found)
  } catch (error) {
    throw storeFault(error)
  }
  return deadline(Promise.resolve(found), timeoutMs, () => tooLate(timeoutMs))
    .then(read)
    .catch(rethrow)
}

function rethrow(error: unknown): never {
  throw storeFault(error)
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
const prepared = once((found) => prepareClient(checkRecord('client', found)))
const contractOf = once((found) => checkRecord('contract', found))
const tierOf = once((found) => checkRecord('tier', found))

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
