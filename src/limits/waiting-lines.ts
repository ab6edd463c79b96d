import type { MaybePromise } from '../decisions/maybe-promise.js'
import { contain } from '../runtime/contain.js'

/** How many may wait, and how long. */
export interface LineBounds {
  readonly maxWaiting: number
  readonly maxWaitingInAll: number
  readonly maxWaitMs: number
}

/** One that waits. */
export interface Turn<T> {
  readonly bounds: LineBounds
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** Whether it is its turn: an answer, or after how many milliseconds to ask again. */
  readonly ask: () => MaybePromise<{ readonly answer: T } | { readonly waitMs: number }>
  /** For an answer that came when it had left. */
  readonly undo: (answer: T) => unknown
}

/** Why somebody leaves without an answer: no place, no time, nobody there to hear it, or all have to go. */
export type Leaving = 'full' | 'late' | 'gone' | 'closed'

export type Waited<T> = { readonly answer: T } | { readonly left: Leaving }

interface Line {
  readonly key: string
  readonly waiters: Waiter[]
  timer: NodeJS.Timeout | undefined
  /** While the first of it asks. */
  asking: boolean
  /** Something was given back meanwhile. */
  poked: boolean
}

/**
 * Who waits for room, in one line for each key: first in, first out. Only the first of a line asks, at the time that
 * it was told, so that many who wait are no more work for a counter than one.
 */
export class WaitingLines {
  readonly #lines = new Map<string, Line>()
  #waiting = 0
  #closed = false

  /** Whoever comes then has to stand in line: the room that there is is not for him. */
  hasLine(key: string): boolean {
    return this.#lines.has(key)
  }

  /** `waitMs`: when to ask first, where there is no line yet. */
  async join<T>(key: string, waitMs: number, turn: Turn<T>): Promise<Waited<T>> {
    const { maxWaiting, maxWaitingInAll } = turn.bounds
    const known = this.#lines.get(key)
    if (this.#closed) return { left: 'closed' }
    if (turn.signal.aborted) return { left: 'gone' }
    if (this.#waiting >= maxWaitingInAll || (known?.waiters.length ?? 0) >= maxWaiting) return { left: 'full' }
    const line = known ?? this.#open(key, waitMs)
    this.#waiting += 1
    return new Promise((resolve, reject) => {
      const end = {
        resolve,
        reject,
        out: (waiter: Waiter) => {
          this.#takeOut(line, waiter)
        },
      }
      line.waiters.push(new Waiting(turn, end))
    })
  }

  /** Something was given back: the first of this line may ask at once. */
  poke(key: string): void {
    const line = this.#lines.get(key)
    if (line === undefined) return
    line.poked = true
    if (!line.asking) this.#askIn(line, 0)
  }

  /** For a process that ends: all who wait leave, and nobody waits from now on. */
  close(): void {
    this.#closed = true
    for (const { waiters } of [...this.#lines.values()]) for (const waiter of [...waiters]) waiter.leave('closed')
  }

  #open(key: string, waitMs: number): Line {
    const line: Line = { key, waiters: [], timer: undefined, asking: false, poked: false }
    this.#lines.set(key, line)
    this.#askIn(line, waitMs)
    return line
  }

  #askIn(line: Line, waitMs: number): void {
    clearTimeout(line.timer)
    line.timer = setTimeout(() => void this.#ask(line), Math.min(Math.ceil(waitMs), longestTimerMs))
  }

  /** One after the other, until the first of the line is told to wait. */
  async #ask(line: Line): Promise<void> {
    line.asking = true
    for (let [first] = line.waiters; first !== undefined; [first] = line.waiters) {
      line.poked = false
      const waitMs = await first.ask()
      // Poked: it may have been told so before something was given back.
      if (waitMs === undefined || line.waiters[0] !== first || this.#wasPoked(line)) continue
      this.#askIn(line, waitMs)
      break
    }
    line.asking = false
    this.#closeIfEmpty(line)
  }

  #wasPoked({ poked }: Line): boolean {
    return poked
  }

  #takeOut(line: Line, waiter: Waiter): void {
    line.waiters.splice(line.waiters.indexOf(waiter), 1)
    this.#waiting -= 1
    this.#closeIfEmpty(line)
  }

  #closeIfEmpty(line: Line): void {
    if (line.waiters.length > 0 || line.asking) return
    clearTimeout(line.timer)
    this.#lines.delete(line.key)
  }
}

/** What Node can wait for at the most; who waits longer asks in between. */
const longestTimerMs = 2_147_483_647

interface Waiter {
  /** After how many milliseconds to ask again; `undefined` when it has left, with an answer or without. */
  ask(): Promise<number | undefined>
  leave(why: Leaving): void
}

interface End<T> {
  readonly resolve: (waited: Waited<T>) => void
  readonly reject: (error: unknown) => void
  readonly out: (waiter: Waiter) => void
}

class Waiting<T> implements Waiter {
  readonly #turn: Turn<T>
  readonly #end: End<T>
  readonly #timer: NodeJS.Timeout
  #isIn = true

  constructor(turn: Turn<T>, end: End<T>) {
    this.#turn = turn
    this.#end = end
    this.#timer = setTimeout(() => {
      this.leave('late')
    }, turn.bounds.maxWaitMs)
    turn.signal.addEventListener('abort', this.#hangUp, { once: true })
  }

  leave(left: Leaving): void {
    this.#go()
    this.#end.resolve({ left })
  }

  async ask(): Promise<number | undefined> {
    try {
      const asked = await this.#turn.ask()
      if ('waitMs' in asked) return asked.waitMs
      if (this.#isIn) this.#end.resolve(asked)
      // Nobody waits for it any more: a counter that fails now must not fail the process.
      else contain(() => this.#turn.undo(asked.answer))
    } catch (error) {
      // Nothing, where it has left: the answer is given then.
      this.#end.reject(error)
    }
    if (this.#isIn) this.#go()
    return undefined
  }

  readonly #hangUp = (): void => {
    this.leave('gone')
  }

  #go(): void {
    this.#isIn = false
    clearTimeout(this.#timer)
    this.#turn.signal.removeEventListener('abort', this.#hangUp)
    this.#end.out(this)
  }
}
