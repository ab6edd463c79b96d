import { hasFunctions } from '../runtime/check.js'
import type { ContractStore } from './store.js'

const isWhole = hasFunctions('findClient', 'findContract', 'findTier', 'find', 'commit', 'list')

/** Whether somebody's object is a whole store, and not only what policies read from. */
export function isContractStore(value: unknown): value is ContractStore {
  return isWhole(value)
}
