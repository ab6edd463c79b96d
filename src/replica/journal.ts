import { randomBytes } from 'node:crypto'
import { keyOf, recordKey } from '../contracts/keys.js'
import type { RecordKey, RecordKind } from '../contracts/store.js'
import type { AnyRecord } from '../stores/check-changes.js'
import { readLine, recordLine, removalLine } from './record-line.js'
import { targetOf, type Cursor, type SourceQuestion } from './source.js'

/** Changes that are remembered one by one. Who has missed more is told everything. */
const mostChanges = 10_000

/** From here on it matters that more than a tenth of a store has gone between two looks; in a small one, all of it. */
const leastGone = 10

interface Entry {
  readonly line: string
  /** The last time that the whole store was read and this record was there. */
  scan: number
}

/**
 * All records of a store as lines, in memory, and the order in which they changed. A store has no such order to ask
 * for; so it begins anew, as another epoch, with each start, and whenever the store has become another one.
 */
export class Journal {
  readonly #entries = new Map<string, Entry>()
  readonly #waiting = new Set<() => void>()
  #epoch = newEpoch()
  #sequence = 0
  /** What changed at the sequences up to now. A target without an entry is gone. */
  #log: RecordKey[] = []
  #scan = 0

  get cursor(): Cursor {
    return { epoch: this.#epoch, sequence: this.#sequence }
  }

  put(kind: RecordKind, record: AnyRecord): void {
    const key = recordKey(kind, record)
    const line = recordLine(kind, record)
    const before = this.#entries.get(key)
    if (before?.line === line) {
      before.scan = this.#scan
      return
    }
    this.#entries.set(key, { line, scan: this.#scan })
    this.#note({ kind, key: keyOf(kind, record) } as RecordKey)
  }

  remove(target: RecordKey): void {
    if (this.#entries.delete(recordKey(target.kind, target.key))) this.#note(target)
  }

  beginScan(): void {
    this.#scan += 1
  }

  /** What was not seen is gone. Where that is much at once, nobody did it by commits: whoever reads looks at it whole. */
  endScan(): void {
    const unseen = [...this.#entries.values()].filter(({ scan }) => scan !== this.#scan)
    const { size } = this.#entries
    const isMuch = unseen.length * 10 > size && (unseen.length >= leastGone || unseen.length === size)
    if (isMuch) this.#epoch = newEpoch()
    for (const { line } of unseen) this.remove(targetOf(readLine(line)))
  }

  /** Everything, as it is at this moment. */
  lines(): readonly string[] {
    return [...this.#entries.values()].map(({ line }) => line)
  }

  /** What has changed since, or `undefined` where that is not known any more. */
  linesAfter({ epoch, sequence }: Cursor): readonly string[] | undefined {
    const known = sequence <= this.#sequence && this.#sequence - sequence <= this.#log.length
    if (epoch !== this.#epoch || !known) return undefined
    const missed = this.#log.slice(this.#log.length - (this.#sequence - sequence))
    const targets = new Map(missed.map((target) => [recordKey(target.kind, target.key), target]))
    return [...targets].map(([key, target]) => this.#entries.get(key)?.line ?? removalLine(target))
  }

  /** Resolves when there is something to say, when the time is over, or when nobody waits any more. */
  changedAfter({ after, waitMs, signal }: SourceQuestion): Promise<void> {
    const { epoch, sequence } = this.cursor
    if (after?.epoch !== epoch || after.sequence !== sequence || waitMs === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        this.#waiting.delete(end)
        resolve()
      }
      const timer = setTimeout(end, waitMs).unref()
      signal.addEventListener('abort', end)
      this.#waiting.add(end)
      if (signal.aborted) end()
    })
  }

  /** Those who wait are told after the step that is under way, so that one commit is one answer. */
  #note(target: RecordKey): void {
    this.#sequence += 1
    this.#log.push(target)
    if (this.#log.length > 2 * mostChanges) this.#log = this.#log.slice(-mostChanges)
    if (this.#waiting.size > 0)
      setImmediate(() => {
        ;[...this.#waiting].forEach((end) => {
          end()
        })
      })
  }
}

function newEpoch(): string {
  return randomBytes(12).toString('base64url')
}
