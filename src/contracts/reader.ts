import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import { ClienteleFault, isOutage } from '../decisions/faults.js'
import { deadline } from '../runtime/deadline.js'
import { deepFreeze } from '../runtime/deep-freeze.js'
import { readRecord } from './check-record.js'
import type { Contract, Identity, Tier } from './model.js'
import { holds, prepareClient, type PreparedClient } from './prepared-client.js'
import { isId, isIssuer } from './schema-words.js'
import type { ContractReader, Records } from './store.js'

type ContractKey = Records['contract']['key']
type TierKey = Records['tier']['key']

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
  const client = { ask: (identity: Identity) => reader.findClient(identity), read: ownClient, timeoutMs }
  const contract = { ask: (key: ContractKey) => reader.findContract(key.client, key.api), read: ownContract, timeoutMs }
  const tier = { ask: (key: TierKey) => reader.findTier(key.api, key.name), read: ownTier, timeoutMs }
  return {
    findClient: (identity) =>
      isId(identity.clientId) && isIssuer(identity.issuer) ? answered(client, identity) : undefined,
    findContract: (clientId, api) => answered(contract, { client: clientId, api }),
    findTier: (api, name) => answered(tier, { api, name }),
  }
}

/** One of the three things that are asked of a store. */
interface Question<Key, T> {
  readonly ask: (key: Key) => unknown
  readonly read: (found: unknown, key: Key) => T
  readonly timeoutMs: number
}

function answered<Key, T>(question: Question<Key, T>, key: Key): MaybePromise<T> {
  try {
    const found = question.ask(key)
    return isPromise(found) ? later(found, question, key) : question.read(found, key)
  } catch (error) {
    throw storeFault(error)
  }
}

/** On its own, because a function with a closure in it pays for it even where the answer is at hand. */
function later<Key, T>(found: Promise<unknown>, { read, timeoutMs }: Question<Key, T>, key: Key): Promise<T> {
  return deadline(Promise.resolve(found), timeoutMs, () => tooLate(timeoutMs))
    .then((one) => read(one, key))
    .catch((error: unknown) => {
      throw storeFault(error)
    })
}

function ownClient(found: unknown, identity: Identity): PreparedClient | undefined {
  const client = prepared(found)
  return client !== undefined && holds(client.record, identity) ? client : undefined
}

function ownContract(found: unknown, { client, api }: ContractKey): Contract | undefined {
  const contract = contractOf(found)
  return contract?.client === client && contract.api === api ? contract : undefined
}

function ownTier(found: unknown, { api, name }: TierKey): Tier | undefined {
  const tier = tierOf(found)
  return tier?.api === api && tier.name === name ? tier : undefined
}

/** Also for whoever stands between the policies and a store. */
export function tooLate(timeoutMs: number): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STORE', `The contract store gave no answer in ${String(timeoutMs)} ms.`)
}

/** What is no outage yet becomes one. */
export function storeFault(error: unknown): ClienteleFault {
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
    deepFreeze(found)
    const record = read(found)
    known.set(found, record)
    return record
  }
}
