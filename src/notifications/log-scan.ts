import type { AuditEntry } from '../contracts/model.js'
import type { ContractStore } from '../contracts/store.js'
import { DeliveryFailure } from './delivery-failure.js'
import { later } from './follower-record.js'
import { entryAfter, entryOf, headOf } from './log-reader.js'

/** So many entries that nobody wants may be read again after a restart, rather than a commit for each. */
const forgottenAtMost = 200

/** Finds the next entry that is wanted. What lies between is remembered here, and written down now and then. */
export class LogScan {
  #scanned = ''
  #after = ''
  #head = ''

  constructor(
    private readonly store: ContractStore,
    private readonly wants: (entry: AuditEntry) => boolean,
  ) {}

  /** The next one after `after`; `undefined` where the log ends before there is one. */
  async next(after: string): Promise<string | undefined> {
    const head = await headOf(this.store)
    // The record, or the log, was put back: what was scanned says nothing of what is there now.
    const isBack = after < this.#after || head < this.#scanned
    this.#scanned = isBack ? after : later(this.#scanned, after)
    this.#after = after
    this.#head = head
    while (this.#scanned < head) {
      const entry = entryAfter(this.#scanned)
      if (await this.#isWanted(entry)) return entry
      this.#scanned = entry
    }
    return undefined
  }

  /** Where the log ended, if that is before what the record says was delivered. */
  endBefore(after: string): string | undefined {
    return this.#head !== '' && this.#head < after ? this.#head : undefined
  }

  /** Where to go on from, if it is so far ahead that it should stand in the record. */
  worthKeeping(after: string): string | undefined {
    return Number(this.#scanned) - Number(after) >= forgottenAtMost ? this.#scanned : undefined
  }

  async #isWanted(entry: string): Promise<boolean> {
    try {
      return this.wants(await entryOf(this.store, entry))
    } catch (error) {
      // One that cannot be read is tried like any other, so that it is listed if it stays that way.
      if (error instanceof DeliveryFailure) return true
      throw error
    }
  }
}
