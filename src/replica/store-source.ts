import type { ContractStore } from '../contracts/store.js'
import { ClienteleFault } from '../decisions/faults.js'
import { deadline } from '../runtime/deadline.js'
import type { Moment } from '../runtime/moment.js'
import { Journal } from './journal.js'
import { JournalKeeper, type KeeperTimes } from './journal-keeper.js'
import { readLine } from './record-line.js'
import { SetDigest } from './set-digest.js'
import type { ContractSource, Cursor, SourceAnswer, SourceChange, SourceQuestion } from './source.js'

/** An answer as it goes over the wire. */
export interface LineAnswer extends Cursor {
  readonly kind: SourceAnswer['kind']
  /** When it was the whole truth. */
  readonly knownAt: Moment
  readonly lines: readonly string[]
}

/** A store in reach as a source: for a replica in the same process, and for a feed. */
export class StoreSource implements ContractSource {
  readonly #journal = new Journal()
  readonly #keeper: JournalKeeper
  readonly #timeoutMs: number

  constructor(store: ContractStore, times: KeeperTimes) {
    this.#timeoutMs = times.timeoutMs
    this.#keeper = new JournalKeeper(store, this.#journal, times)
  }

  /** Rejects until the store has been read whole once. */
  async lines(question: SourceQuestion): Promise<LineAnswer> {
    await deadline(this.#keeper.begun, this.#timeoutMs, () => this.#keeper.fault ?? notRead())
    await this.#journal.changedAfter(question)
    // At once and in one go, so that cursor, age and lines are of one moment.
    const changed = question.after === undefined ? undefined : this.#journal.linesAfter(question.after)
    const kind = changed === undefined ? 'snapshot' : 'changes'
    const { knownAt } = this.#keeper
    return { ...this.#journal.cursor, kind, knownAt, lines: changed ?? this.#journal.lines() }
  }

  async read(question: SourceQuestion): Promise<SourceAnswer> {
    const { lines, ...answer } = await this.lines(question)
    const digest = new SetDigest()
    const changes = lines.map((line): SourceChange => {
      digest.add(line)
      return readLine(line)
    })
    return { ...answer, count: digest.count, digest: digest.text, changes }
  }

  close(): void {
    this.#keeper.stop()
  }
}

function notRead(): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STORE', 'The contracts have not been read whole yet.', { reason: 'reading' })
}
