/** Time that passes as events are due, and chance that is the same in every run. */
export class World {
  nowMs: number
  readonly #events: { readonly atMs: number; readonly turn: number; readonly happen: () => void }[] = []
  #turn = 0
  #state: number

  constructor(startMs: number, seed: number) {
    this.nowMs = startMs
    this.#state = seed
  }

  after(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.nowMs + ms, resolve)
    })
  }

  at(atMs: number, happen: () => void): void {
    const event = { atMs, turn: (this.#turn += 1), happen }
    // A heap would be faster; there are few at a time, and most come last.
    let place = this.#events.length
    while (place > 0 && isLater(this.#events[place - 1], event)) place -= 1
    this.#events.splice(place, 0, event)
  }

  async run(untilMs: number): Promise<void> {
    for (let next = this.#events[0]; next !== undefined && next.atMs <= untilMs; next = this.#events[0]) {
      this.#events.shift()
      this.nowMs = next.atMs
      next.happen()
      // Whatever follows from it at the same moment.
      await new Promise(setImmediate)
    }
    this.nowMs = untilMs
  }

  /** 0 to 1: mulberry32. */
  chance(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Timed {
  readonly atMs: number
  readonly turn: number
}

function isLater(one: Timed | undefined, other: Timed): boolean {
  return one !== undefined && (one.atMs > other.atMs || (one.atMs === other.atMs && one.turn > other.turn))
}
