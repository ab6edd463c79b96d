import { Account, type Moment } from '../account.js'
import type { CounterLimit } from '../counter.js'
import { firstLayout, type Place } from '../layout.js'

/** What stands on the server of one subject, as its script has answered. */
export interface Standing {
  readonly taken: boolean
  /** The server's time. */
  readonly now: Moment
  /** Of the account, which another follows after a reset. */
  readonly id: string
  readonly account: Account
}

/** Reads what `takeScript` has answered; `from` is where the numbers of the limits begin. */
export function standingOf(reply: readonly unknown[], limits: readonly CounterLimit[], from = 3): Standing {
  const nowMs = numberOf(reply[1])
  const now = { monotonicMs: nowMs, wallMs: nowMs }
  const account = new Account(firstLayout(limits))
  let at = from
  for (const place of account.layout.places) at = fill(account, place, reply, at, nowMs)
  if (at !== reply.length) throw new TypeError('expected numbers for each limit')
  return { taken: numberOf(reply[0]) === 1, now, id: String(reply[2]), account }
}

/** What it was charged under: for algorithms without a window the moment. */
export function marksOf({ account, now }: Standing): readonly number[] {
  const { limits, places } = account.layout
  return places.map(({ algorithm, at }, index) =>
    algorithm.resets && limits[index]?.algorithm !== 'gcra' ? (account.numbers[at] ?? NaN) : now.wallMs,
  )
}

function fill(account: Account, { algorithm, at }: Place, reply: readonly unknown[], from: number, nowMs: number) {
  if (!algorithm.resets) {
    // How many are in flight: when each began is the server's to know.
    const count = reply[from] === null ? 0 : numberOf(reply[from])
    account.lists ??= []
    account.numbers[at] = account.lists.push(new Array<number>(count).fill(nowMs)) - 1
    return from + 1
  }
  const { length } = algorithm.empty
  if (reply[from] !== null) {
    for (let index = 0; index < length; index += 1) account.numbers[at + index] = numberOf(reply[from + index])
  }
  return from + length
}

/** Whole ones come as numbers, or as text where a client is set up so. */
export function numberOf(value: unknown): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw new TypeError('expected a number: the client must not be set up to answer with anything else')
}
