import { isPromise } from '../decisions/maybe-promise.js'
import type { RecordKey } from '../contracts/store.js'

interface Watcher {
  readonly changed: (keys: readonly RecordKey[]) => unknown
  readonly missed: (() => unknown) | undefined
}

/** Who watches a store. What a watcher throws is neither the writer's trouble nor the process's. */
export class Watchers {
  readonly #watchers = new Set<Watcher>()

  get size(): number {
    return this.#watchers.size
  }

  add(changed: Watcher['changed'], missed: Watcher['missed']): () => void {
    const watcher = { changed, missed }
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  changed(keys: readonly RecordKey[]): void {
    if (keys.length === 0) return
    for (const watcher of this.#watchers) contained(() => watcher.changed(keys))
  }

  missed(): void {
    for (const watcher of this.#watchers) contained(() => watcher.missed?.())
  }

  clear(): void {
    this.#watchers.clear()
  }
}

function contained(tell: () => unknown): void {
  try {
    const waits = tell()
    if (isPromise(waits)) Promise.resolve(waits).catch(warn)
  } catch {
    warn()
  }
}

function warn(): void {
  process.emitWarning('A watcher of the contract store failed.', 'ClienteleWarning')
}
