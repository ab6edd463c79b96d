import { z } from 'zod'
import { parse } from '../contracts/check-record.js'
import { isConflict } from '../contracts/lifecycle/audit-log.js'
import type { Shape } from '../contracts/schema-shape.js'
import { entry, id } from '../contracts/schema-words.js'
import type { ContractStore } from '../contracts/store.js'
import { ClienteleFault } from '../decisions/faults.js'
import { save } from './follower-record.js'
import { headOf } from './log-reader.js'

export interface BeginAgainInput {
  /** As `deliveries()` has it: `mail/owner`, `webhook/…`, or one of your own. */
  readonly follower: string
  /** The entry of the audit log after which it goes on. @default the last one there is */
  readonly after?: string
}

const inputSchema = z.strictObject({ follower: id, after: entry.optional() } satisfies Shape<BeginAgainInput>)
const mostAttempts = 10

/**
 * For a store that was put back to an older copy: a follower that had come further than its log ends now waits for
 * entries that others will be given the numbers of. Says where it goes on; what it was trying again is dropped.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID` where the log does not go so far, `ERR_CLIENTELE_NOT_FOUND`
 */
export async function beginAgain(store: ContractStore, input: BeginAgainInput): Promise<void> {
  const { follower, after } = parse('beginAgain()', inputSchema, input)
  for (let attempt = 1; ; attempt++) {
    try {
      await moveTo(store, follower, after)
      return
    } catch (error) {
      // The process at work has written down something meanwhile.
      if (!isConflict(error) || attempt >= mostAttempts) throw error
    }
  }
}

async function moveTo(store: ContractStore, name: string, wanted: string | undefined): Promise<void> {
  const head = await headOf(store)
  const after = wanted ?? head
  if (after > head) throw new ClienteleFault('ERR_CLIENTELE_INVALID', `beginAgain(): after: the log ends at ${head}`)
  const record = await store.find('follower', { name })
  if (record === undefined) throw new ClienteleFault('ERR_CLIENTELE_NOT_FOUND', 'beginAgain(): no such follower')
  const { claim: _claim, ...unclaimed } = record
  await save(store, record, { ...unclaimed, after, retrying: [] })
}
