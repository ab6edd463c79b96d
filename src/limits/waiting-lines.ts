import type { MaybePromise } from '../decisions/maybe-promise.js'
import { contain } from '../runtime/contain.js'

/** How many may wait, and how long. */
export interface LineBounds {
  readonly maxWaiting: number
  readonly maxWaitingInAll: number
  readonly maxWaitMs: number
}

/** What the first of a line was told when it had no room: after how many milliseconds to ask again. */
export interface Told {
  readonly waitMs: number
}

/** One that waits. */
export interface Turn<T, By extends Told> {
  readonly bounds: LineBounds
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** Whether it is its turn: an answer, or what it is told instead. */
  readonly ask: () => MaybePromise<{ readonly answer: T } | By>
  /** For an answer that came when it had left. */
  readonly undo: (answer: T) => unknown
}

/** Why somebody leaves without an answer: no place, no time, nobody there to hear it, or all have to go. */
export type Leaving = 'full' | 'late' | 'gone' | 'closed'

/** `told`: what the first of its line was told last. */
export type Waited<T, By extends Told> = { readonly answer: T } | { readonly left: Leaving; readonly told: By }

interface Line<By extends Told> {
  readonly key: string
  readonly waiters: Waiter<By>[]
  told: By
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
export class WaitingLines<By extends Told> {
  readonly #lines = new Map<string, Line<By>>()
  #waiting = 0
  #closed = false

  /** There where there is a line. Whoever comes then has to stand in it: the room that there is is not for him. */
  toldLast(key: string): By | undefined {
    return this.#lines.get(key)?.told
  }

  /** `told`: what a line begins with where there is none yet. */
  async join<T>(key: string, told: By, turn: Turn<T, By>): Promise<Waited<T, By>> {
    const known = this.#lines.get(key)
    const left = this.#whyNot(known, turn)
    if (left !== undefined) return { left, told: known?.told ?? told }
    const line = known ?? this.#open(key, told)
    this.#waiting += 1
    return new Promise((resolve, reject) => {
      const out = (waiter: Waiter<By>): By => this.#takeOut(line, waiter)
      line.waiters.push(new Waiting(turn, { resolve, reject, out }))
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

  #whyNot(
    line: Line<By> | undefined,
    { bounds, signal }: Pick<Turn<never, By>, 'bounds' | 'signal'>,
  ): Leaving | undefined {
    if (this.#closed) return 'closed'
    if (signal.aborted) return 'gone'
    const isFull = this.#waiting >= bounds.maxWaitingInAll || (line?.waiters.length ?? 0) >= bounds.maxWaiting
    return isFull ? 'full' : undefined
  }

  #open(key: string, told: By): Line<By> {
    const line: Line<By> = { key, waiters: [], told, timer: undefined, asking: false, poked: false }
    this.#lines.set(key, line)
    this.#askIn(line, told.waitMs)
    return line
  }

  #askIn(line: Line<By>, waitMs: number): void {
    clearTimeout(line.timer)
    line.timer = setTimeout(() => void this.#ask(line), Math.min(Math.ceil(waitMs), longestTimerMs))
  }

  /** One after the other, until the first of the line is told to wait. */
  async #ask(line: Line<By>): Promise<void> {
    line.asking = true
    for (let [first] = line.waiters; first !== undefined; [first] = line.waiters) {
      line.poked = false
      const told = await first.ask()
      if (told !== undefined) line.told = told
      // Poked: it may have been told so before something was given back.
      if (told === undefined || line.waiters[0] !== first || this.#wasPoked(line)) continue
      this.#askIn(line, told.waitMs)
      break
    }
    line.asking = false
    this.#closeIfEmpty(line)
  }

  #wasPoked({ poked }: Line<By>): boolean {
    return poked
  }

  #takeOut(line: Line<By>, waiter: Waiter<By>): By {
    line.waiters.splice(line.waiters.indexOf(waiter), 1)
    this.#waiting -= 1
    this.#closeIfEmpty(line)
    return line.told
  }

  #closeIfEmpty(line: Line<By>): void {
    if (line.waiters.length > 0 || line.asking) return
    clearTimeout(line.timer)
    this.#lines.delete(line.key)
  }
}

/** What Node can wait for at the most; who waits longer asks in between. */
const longestTimerMs = 2_147_483_647

interface Waiter<By extends Told> {
  /** `undefined` when it has left, with an answer or without. */
  ask(): Promise<By | undefined>
  leave(why: Leaving): void
}

interface End<T, By extends Told> {
  readonly resolve: (waited: Waited<T, By>) => void
  readonly reject: (error: unknown) => void
  /** Takes it out of its line, and returns what that was told last. */
  readonly out: (waiter: Waiter<By>) => By
}

class Waiting<T, By extends Told> implements Waiter<By> {
  readonly #turn: Turn<T, By>
  readonly #end: End<T, By>
  readonly #timer: NodeJS.Timeout
  #isIn = true

  constructor(turn: Turn<T, By>, end: End<T, By>) {
    this.#turn = turn
    this.#end = end
    this.#timer = setTimeout(() => {
      this.leave('late')
    }, turn.bounds.maxWaitMs)
    turn.signal.addEventListener('abort', this.#hangUp, { once: true })
  }

  leave(left: Leaving): void {
    this.#end.resolve({ left, told: this.#go() })
  }

  async ask(): Promise<By | undefined> {
    try {
      const asked = await this.#turn.ask()
      if (!('answer' in asked)) return asked
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

  #go(): By {
    this.#isIn = false
    clearTimeout(this.#timer)
    this.#turn.signal.removeEventListener('abort', this.#hangUp)
    return this.#end.out(this)
  }
}
