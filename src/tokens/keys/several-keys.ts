import type { ClienteleFault } from '../../decisions/faults.js'
import { allOf, andThen, isPromise, type MaybePromise } from '../../decisions/maybe-promise.js'
import type { KeySet, KeySource } from './key-source.js'
import type { VerificationKey } from './verification-key.js'

/** A set of one of several sources, or why there is none. */
type Part = { readonly set: KeySet } | { readonly fault: ClienteleFault }

/**
 * Keys that stand in several places. One that is out of reach costs the tokens of the others nothing; its own are
 * not called bad.
 */
export function severalKeys(sources: readonly KeySource[]): KeySource {
  let last: JoinedKeys | undefined
  const join = (parts: readonly Part[]): KeySet => {
    if (last?.holds(parts) !== true) last = new JoinedKeys(parts)
    return last
  }
  const ask = (question: (source: KeySource, index: number) => MaybePromise<KeySet>): MaybePromise<KeySet> =>
    andThen(
      allOf([...sources.entries()], ([index, source]) => partOf(() => question(source, index))),
      join,
    )

  return {
    fresh: () => {
      const sets = sources.map((source) => source.fresh())
      return sets.every((set) => set !== undefined) ? join(sets.map((set) => ({ set }))) : undefined
    },
    current: () => ask((source) => source.current()),
    after: (keys, kid) =>
      ask((source, index) => {
        const set = keys instanceof JoinedKeys ? keys.setAt(index) : undefined
        return set === undefined ? source.current() : source.after(set, kid)
      }),
    refresh: () => Promise.all(sources.map((source) => source.refresh())),
  }
}

function partOf(ask: () => MaybePromise<KeySet>): MaybePromise<Part> {
  // A key source throws nothing else.
  const failed = (fault: unknown): Part => ({ fault: fault as ClienteleFault })
  try {
    const set = ask()
    return isPromise(set) ? set.then((later) => ({ set: later }), failed) : { set }
  } catch (fault) {
    return failed(fault)
  }
}

class JoinedKeys implements KeySet {
  #parts: readonly Part[]

  constructor(parts: readonly Part[]) {
    this.#parts = parts
  }

  setAt(index: number): KeySet | undefined {
    const part = this.#parts[index]
    return part !== undefined && 'set' in part ? part.set : undefined
  }

  /** Whether these are the same keys; then the latest faults are kept, which know best when to come back. */
  holds(parts: readonly Part[]): boolean {
    const same = parts.every((part, index) => ('set' in part ? part.set : undefined) === this.setAt(index))
    if (same) this.#parts = parts
    return same
  }

  candidates(kid: string | undefined, algorithm: string): readonly VerificationKey[] {
    const found: VerificationKey[] = []
    let fault: ClienteleFault | undefined
    for (const part of this.#parts) {
      if ('fault' in part) fault ??= part.fault
      else {
        try {
          found.push(...part.set.candidates(kid, algorithm))
        } catch (error) {
          fault ??= error as ClienteleFault
        }
      }
    }
    if (found.length === 0 && fault !== undefined) throw fault
    return found
  }
}
