import { checkCost, type Counter, type CounterLimit, type Reading, type Take } from '../counter.js'
import { Receipt, spendReceipt } from '../receipt.js'
import { marksOf, standingOf } from './answer.js'
import type { Charged } from './leases.js'
import type { CounterKeys } from './keys.js'
import type { Names } from './names.js'
import { ceilingOf, limitText, spanOf } from './limit-text.js'
import { giveBackScript, resetScript, takeScript } from './scripts.js'
import type { CountingServer } from './server.js'

/** Every question goes to the server, in one round trip. */
export class ExactCounter implements Counter {
  readonly #server: CountingServer
  readonly #keys: CounterKeys
  readonly #names: Names

  constructor(server: CountingServer, keys: CounterKeys, names: Names) {
    this.#server = server
    this.#keys = keys
    this.#names = names
  }

  async take(subject: string, limits: readonly CounterLimit[], cost: number): Promise<Take> {
    checkCost(cost)
    const id = this.#names.next()
    const question = (nowMs: number) => `${cost},"${id}"${limitText(limits, nowMs)}`
    const reply = await this.#server.run(takeScript, [this.#keys.account(subject)], question)
    const standing = standingOf(reply, limits)
    const { taken, account, now } = standing
    const readings = account.read(account.layout, cost, now)
    if (!taken) return { taken, readings, receipt: undefined }
    const charged: Charged = { subject, id: standing.id, limits, marks: marksOf(standing), cost }
    return { taken, readings, receipt: new Receipt(this, charged) }
  }

  async peek(subject: string, limits: readonly CounterLimit[]): Promise<readonly Reading[]> {
    const question = (nowMs: number) => `false,""${limitText(limits, nowMs)}`
    const reply = await this.#server.run(takeScript, [this.#keys.account(subject)], question)
    const { account, now } = standingOf(reply, limits)
    return account.read(account.layout, 1, now)
  }

  async giveBack(receipt: unknown, cost: number): Promise<void> {
    checkCost(cost)
    const charged = spendReceipt<Charged>(this, receipt)
    if (charged !== undefined) await this.returnCharge(charged, cost)
  }

  async returnCharge({ subject, id, limits, marks, cost: charged }: Charged, cost: number): Promise<void> {
    // For as long as it can still be done, twice over.
    const keptMs = 2 * this.#server.timeoutMs
    const question = `${keptMs},"${id}",${Math.min(cost, charged)}${limits.map(markText(marks)).join('')}`
    const keys = [this.#keys.account(subject), this.#keys.mark(subject, this.#names.next())]
    await this.#server.run(giveBackScript, keys, () => question)
  }

  /** `holder`: whose lease is over. */
  async reset(subject: string, holder = ''): Promise<void> {
    const id = this.#names.next()
    await this.#server.run(resetScript, [this.#keys.account(subject)], () => `"${id}","${holder}"`)
  }
}

function markText(marks: readonly number[]): (limit: CounterLimit, index: number) => string {
  return (limit, index) => {
    const key = JSON.stringify(limit.key)
    return `,${key},${ceilingOf(limit)},${spanOf(limit)},${marks[index] ?? NaN},${limit.algorithm === 'concurrent'}`
  }
}
