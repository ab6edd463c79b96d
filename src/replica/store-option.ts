import { z } from 'zod'
import type { ContractStore } from '../contracts/store.js'
import { hasFunctions } from '../runtime/check.js'

/** A store whose records can be read all together. */
export const storeOption = z.custom<ContractStore>(hasFunctions('find', 'list', 'findClient'), {
  message: 'expected a contract store that can list what it holds: find, commit, list and the three of a reader',
})
