import { randomUUID } from 'node:crypto'
import type { ClienteleFault } from '../../decisions/faults.js'
import { optionsFault } from '../../runtime/check.js'
import { conflict, isRecordOf, type AnyRecord, type CheckedChange } from '../check-changes.js'
import { outage, type Backend, type KeyvLike } from './backend.js'
import { textOf, type Head, type Pending } from './head.js'
import { KeyLists } from './key-lists.js'
import { shortened } from './keys.js'
import type { KeyvRecords } from './records.js'
import { decodeRecord } from './texts.js'

/** One per Keyv, whatever stores there are over it: what they write, they write one after the other. */
interface Writing {
  /** The mark in the head of who wrote last. */
  readonly id: string
  /** The mark has stood there, so it may not be another one now. */
  claimed: boolean
  line: Promise<unknown>
}

const writingByKeyv = new WeakMap<KeyvLike, Writing>()

function writingOf(keyv: KeyvLike): Writing {
  const writing = writingByKeyv.get(keyv) ?? { id: randomUUID(), claimed: false, line: Promise.resolve() }
  writingByKeyv.set(keyv, writing)
  return writing
}

/** Commits of the one process that writes. Keyv has no step that is atomic over more than one key, so the head is it. */
export class KeyvWriter {
  readonly #writing: Writing
  readonly #backend: Backend
  readonly #records: KeyvRecords
  readonly #lists: KeyLists

  constructor(keyv: KeyvLike, backend: Backend, records: KeyvRecords) {
    this.#writing = writingOf(keyv)
    this.#backend = backend
    this.#records = records
    this.#lists = new KeyLists(records)
  }

  /** Makes a Keyv that has never been written to one that is known to be empty. */
  begin(): Promise<void> {
    return this.#inLine(() => this.#claim())
  }

  commit(changes: readonly CheckedChange[]): Promise<void> {
    return this.#inLine(() => this.#commit(changes))
  }

  /** When all that was begun is over. */
  async idle(): Promise<void> {
    await this.#writing.line
  }

  #inLine(work: () => Promise<void>): Promise<void> {
    const turn = this.#writing.line.then(work)
    this.#writing.line = turn.catch(() => undefined)
    return turn
  }

  async #commit(changes: readonly CheckedChange[]): Promise<void> {
    await this.#claim()
    const keys = changes.map(keyOfChange)
    const { texts } = await this.#read(keys)
    const before = changes.map((change, at) => recordOf(change, texts[at]))
    changes.forEach((change, at) => {
      if ((before[at]?.version ?? null) !== change.expect) throw conflict(change.target.kind)
    })
    const writes = changes.flatMap(pendingOf)
    const made = writes.filter(({ key, value }) => value !== null && before[keys.indexOf(key)] === undefined)
    await this.#lists.add(made.map(({ key }) => key))
    const [only] = writes
    if (writes.length > 1 || only?.value === null) await this.#writeTogether(writes)
    else if (only !== undefined) await this.#writeAlone(only)
  }

  async #writeAlone(change: Pending): Promise<void> {
    await this.#records.put(new Map([[change.key, textOf(change)]]))
    await this.#mustBeOurs()
  }

  async #writeTogether(pending: readonly Pending[]): Promise<void> {
    await this.#putHead(pending)
    try {
      await this.#settle(pending)
    } catch {
      // It is made: every find sees it in the head. What did not reach its place does so before the next commit.
    }
  }

  /** Brings a commit to its places. Done again, it does no harm. */
  async #settle(pending: readonly Pending[]): Promise<void> {
    await this.#records.put(new Map(pending.map((change) => [change.key, textOf(change)])))
    await this.#lists.remove(pending.filter(({ value }) => value === null).map(({ key }) => key))
    await this.#putHead([])
  }

  /** Puts our mark into the head, and ends what a commit has left undone, be it ours or another writer's. */
  async #claim(): Promise<void> {
    await this.#backend.settled()
    const wasThere = this.#records.met || this.#writing.claimed
    const head = (await this.#records.read([]))?.head
    if (head === undefined && wasThere) throw nothingThere()
    const pending = head?.pending ?? []
    if (head?.writer !== this.#writing.id) {
      if (this.#writing.claimed) throw superseded()
      await this.#records.putHead({ writer: this.#writing.id, pending })
    }
    this.#writing.claimed = true
    if (pending.length > 0) await this.#settle(pending)
  }

  async #putHead(pending: readonly Pending[]): Promise<void> {
    await this.#mustBeOurs()
    await this.#records.putHead({ writer: this.#writing.id, pending })
  }

  async #mustBeOurs(): Promise<void> {
    const { head } = await this.#read([])
    if (head.writer !== this.#writing.id) throw superseded()
  }

  async #read(keys: readonly string[]): Promise<{ head: Head; texts: readonly (string | undefined)[] }> {
    const reading = await this.#records.read(keys)
    if (reading === undefined) throw nothingThere()
    return reading
  }
}

function keyOfChange({ target, storeKey }: CheckedChange): string {
  return shortened(target.kind, storeKey)
}

function pendingOf(change: CheckedChange): Pending[] {
  return change.value === undefined ? [] : [{ key: keyOfChange(change), value: change.value }]
}

function recordOf({ target }: CheckedChange, text: string | undefined): AnyRecord | undefined {
  if (text === undefined) return undefined
  const record = decodeRecord(target.kind, text)
  if (isRecordOf(target.kind, record, target.key)) return record
  throw outage(`the ${target.kind} that stands there is another one.`)
}

export function nothingThere(): ClienteleFault {
  const why = 'it is out of reach, was emptied, has another namespace, or no process with soleWriter has begun yet'
  return outage(`there are no records of clientele in this Keyv: ${why}.`)
}

function superseded(): ClienteleFault {
  return optionsFault('keyvStore()', 'soleWriter: another process has written since; exactly one may')
}
