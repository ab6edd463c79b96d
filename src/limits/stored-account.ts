import { Account } from './account.js'
import type { CounterLimit } from './counter.js'
import { firstLayout, type Layout, type Place } from './layout.js'

/** The numbers of one limit as they are kept, and when they mean nothing any more. */
interface StoredLimit {
  readonly endsAtMs: number
  readonly numbers: readonly number[]
  /** Whether a reset forgets it. */
  readonly resets: boolean
}

/** What one subject has used, as plain data. */
export interface StoredAccount {
  /** Another one after each reset, so that a receipt from before is known as such. */
  readonly id: string
  readonly limits: Readonly<Record<string, StoredLimit>>
}

/** An account with the numbers of these limits; those of others stay where they are kept. */
export function accountOf(stored: StoredAccount | undefined, limits: readonly CounterLimit[]): Account {
  const account = new Account(firstLayout(limits))
  for (const place of account.layout.places) {
    const kept = stored?.limits[place.key]
    if (kept !== undefined) unpack(account, place, kept.numbers)
  }
  return account
}

/** What is to be kept of an account, beside what was kept of limits that it does not have. */
export function storedFrom(account: Account, stored: Pick<StoredAccount, 'id' | 'limits'>): StoredAccount {
  const { limits, places }: Layout = account.layout
  const changed = places.map((place, index) => {
    const endsAtMs = place.algorithm.endsAtMs(account, place.at, limits[index] as CounterLimit)
    return [place.key, { endsAtMs, numbers: pack(account, place), resets: place.algorithm.resets }] as const
  })
  return { id: stored.id, limits: { ...stored.limits, ...Object.fromEntries(changed) } }
}

/** What a reset leaves: the requests in flight. */
export function withoutUsage(stored: StoredAccount, id: string): StoredAccount | undefined {
  const left = Object.entries(stored.limits).filter(([, { resets }]) => !resets)
  return left.length === 0 ? undefined : { id, limits: Object.fromEntries(left) }
}

export function isOverAt(stored: StoredAccount, nowMs: number): boolean {
  return Object.values(stored.limits).every(({ endsAtMs }) => endsAtMs <= nowMs)
}

/** A list is kept as such, and the number that says where it stands is not. */
function pack({ numbers, lists }: Account, { algorithm, at }: Place): readonly number[] {
  if (algorithm.resets) return numbers.slice(at, at + algorithm.empty.length)
  return lists?.[numbers[at] ?? -1] ?? []
}

function unpack(account: Account, { algorithm, at }: Place, kept: readonly number[]): void {
  if (algorithm.resets) {
    kept.forEach((number, index) => (account.numbers[at + index] = number))
    return
  }
  account.lists ??= []
  account.numbers[at] = account.lists.push([...kept]) - 1
}
