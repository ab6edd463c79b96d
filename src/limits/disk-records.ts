import type { RootDatabase } from 'lmdb'
import { subjectDigest } from './subject.js'
import { isOverAt, type StoredAccount } from './stored-account.js'

export type Accounts = RootDatabase<StoredAccount, string>

/** As much as fits into a key of the engine, with room to spare. */
const maximumKeyLength = 500
const plainKey = /^[\x21-\x3c\x3e-\x7e][\x21-\x7e]*$/

/** No key that was taken as it is begins as a digest does. */
export function diskKey(subject: string): string {
  if (subject.length <= maximumKeyLength && plainKey.test(subject)) return subject
  return subjectDigest(subject)
}

/** More than one record per new one, so that what is over is removed faster than it comes in. */
const recordsPerSweep = 2

/** Removes what is over, a few records at a time; returns where the next sweep begins. For use in a transaction. */
export function sweepSome(accounts: Accounts, from: string, nowMs: number): string {
  const seen = [...accounts.getRange({ start: from, limit: recordsPerSweep + 1 })]
  for (const { key, value } of seen.slice(0, recordsPerSweep)) if (isOverAt(value, nowMs)) accounts.removeSync(key)
  return seen[recordsPerSweep]?.key ?? ''
}
