import type { RecordKey } from '../contracts/store.js'
import { ClienteleFault } from '../decisions/faults.js'
import { earlier, elapsedMs, momentNow, type Moment } from '../runtime/moment.js'
import type { Watchers } from '../stores/watchers.js'
import type { Generation, LocalStore, Progress, ReplicaPlace } from './place.js'
import type { HeldSnapshot } from './replica-events.js'
import type { Cursor, SourceAnswer } from './source.js'
import { stage, takeIn, WentBack, type Staged } from './take-in.js'

/** What became of an answer of the source. */
export type Outcome =
  | { readonly kind: 'updated'; readonly targets: readonly RecordKey[] }
  | { readonly kind: 'replaced' | 'held'; readonly staged: Staged }

/** What is in force, how far it has come and how old it is. */
export class ReplicaState {
  readonly #place: ReplicaPlace
  readonly #watchers: Watchers
  #generation: Generation | undefined
  #cursor: Cursor | undefined
  #knownAt: Moment | undefined
  #held: Staged | undefined
  #count = 0

  constructor(place: ReplicaPlace, watchers: Watchers) {
    this.#place = place
    this.#watchers = watchers
    if (place.found === undefined) return
    const { generation, progress } = place.found
    this.#generation = generation
    this.#follow(progress, earlier(momentNow(), progress.ageMs), progress.count)
  }

  get store(): LocalStore | undefined {
    return this.#generation?.store
  }

  get count(): number {
    return this.#count
  }

  /** What to ask the source for: everything, where what is here does not lead on to what it has. */
  get cursor(): Cursor | undefined {
    return this.#held === undefined ? this.#cursor : undefined
  }

  get ageMs(): number | undefined {
    return this.#knownAt === undefined ? undefined : elapsedMs(this.#knownAt)
  }

  get held(): HeldSnapshot | undefined {
    return this.#held === undefined ? undefined : heldOf(this.#held, this.#count)
  }

  /** What the source has answered becomes what is in force, or waits for a person. */
  async take(answer: SourceAnswer): Promise<Outcome> {
    this.#requireLater(answer)
    this.#place.requireOwn()
    return answer.kind === 'changes' ? this.#update(answer) : this.#replace(answer)
  }

  /** Puts the snapshot that waits in force. */
  async accept(): Promise<Staged | undefined> {
    const held = this.#held
    if (held !== undefined) await this.#switchTo(held)
    return held
  }

  /** Writes down how old it has become, for a process that comes after this one. */
  save(): void {
    if (this.#generation === undefined || this.#cursor === undefined) return
    this.#place.save(this.#generation, this.#progress(this.#cursor))
  }

  async close(): Promise<void> {
    await this.#held?.generation.remove()
    await this.#place.close()
  }

  async #update(answer: SourceAnswer): Promise<Outcome> {
    if (this.#generation === undefined || answer.epoch !== this.#cursor?.epoch) throw unusable('epoch')
    try {
      // All of them first: whether it is the whole answer shows at its end.
      const { targets, added } = await takeIn(this.#generation.store, [...answer.changes], (changed) => {
        this.#watchers.changed(changed)
      })
      this.#follow(answer, laterOf(this.#knownAt, answer.knownAt), this.#count + added)
      this.save()
      return { kind: 'updated', targets }
    } catch (error) {
      if (!(error instanceof WentBack)) throw error
      this.#cursor = undefined
      throw unusable('older')
    }
  }

  async #replace(answer: SourceAnswer): Promise<Outcome> {
    const before = this.#held
    const staged = before?.answer.digest === answer.digest ? { ...before, answer } : undefined
    const next = staged ?? (await stage(this.#place, this.store, answer))
    this.#held = next
    if (before !== undefined && staged === undefined) await before.generation.remove()
    if (mustWait(heldOf(next, this.#count), this.#count)) return { kind: 'held', staged: next }
    await this.#switchTo(next)
    return { kind: 'replaced', staged: next }
  }

  async #switchTo(staged: Staged): Promise<void> {
    const before = this.#generation
    const { answer, generation } = staged
    this.#place.save(generation, { ...cursorOf(answer), count: answer.count, ageMs: elapsedMs(answer.knownAt) })
    this.#generation = generation
    this.#held = undefined
    this.#follow(answer, answer.knownAt, answer.count)
    this.#watchers.missed()
    await before?.remove()
  }

  /** An old answer, or a source that has lost what it said before: in one epoch nothing ever goes back. */
  #requireLater({ epoch, sequence }: Cursor): void {
    if (epoch === this.#cursor?.epoch && sequence < this.#cursor.sequence) throw unusable('older')
  }

  #follow(cursor: Cursor, knownAt: Moment, count: number): void {
    this.#cursor = cursorOf(cursor)
    this.#knownAt = knownAt
    this.#count = count
  }

  #progress(cursor: Cursor): Progress {
    return { ...cursor, count: this.#count, ageMs: this.ageMs ?? Infinity }
  }
}

function heldOf({ answer, kept, older }: Staged, before: number): HeldSnapshot {
  return { digest: answer.digest, records: answer.count, dropped: Math.max(0, before - kept), older }
}

function mustWait({ records, dropped, older }: HeldSnapshot, before: number): boolean {
  return records === 0 || older > 0 || dropped * 10 > before
}

function cursorOf({ epoch, sequence }: Cursor): Cursor {
  return { epoch, sequence }
}

/** Of one epoch: what is told later is no older, though its way may have taken longer. */
function laterOf(before: Moment | undefined, answered: Moment): Moment {
  return before !== undefined && elapsedMs(before) < elapsedMs(answered) ? before : answered
}

function unusable(reason: 'older' | 'epoch'): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STORE', 'The source of the replica has answered with what it had before.', {
    reason,
  })
}
