import { ClienteleFault } from '../decisions/faults.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import type { CounterLimit, Reading, Take } from './counter.js'
import { guardedPeek, guardedTake, type GuardedCounter } from './guarded-take.js'

/** What a counter says, or what is done without it. */
export interface Charge extends Take {
  /** There where the counter has not answered: why, and what the answer stands on instead. */
  readonly alone?: Alone
}

export interface Alone {
  readonly fault: ClienteleFault
  /** `undefined`: nobody has counted, and there are no readings. Else they are of the limits as `shareOf` makes them. */
  readonly processes: number | undefined
}

/** How a policy charges: through a counter, and in its own way where that fails. */
export interface Charging {
  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Charge>
  giveBack(receipt: unknown, cost: number): MaybePromise<void>
}

/** The fault goes to whoever asked. */
export class RefusingCharging implements Charging {
  readonly #guarded: GuardedCounter

  constructor(guarded: GuardedCounter) {
    this.#guarded = guarded
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Charge> {
    return guardedTake(this.#guarded, subject, limits, cost)
  }

  giveBack(receipt: unknown, cost: number): MaybePromise<void> {
    return this.#guarded.counter.giveBack(receipt, cost)
  }
}

export class AdmittingCharging implements Charging {
  readonly #guarded: GuardedCounter

  constructor(guarded: GuardedCounter) {
    this.#guarded = guarded
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Charge> {
    return orElse(
      () => guardedTake(this.#guarded, subject, limits, cost),
      (fault) => ({ taken: true, readings: [], receipt: uncounted, alone: { fault, processes: undefined } }),
    )
  }

  giveBack(receipt: unknown, cost: number): MaybePromise<void> {
    return receipt === uncounted ? undefined : this.#guarded.counter.giveBack(receipt, cost)
  }
}

/** For who only wants to know: looks, and charges nobody. Readings are those from before the request. */
export class LookingCharging implements Charging {
  readonly #guarded: GuardedCounter
  readonly #refuses: boolean

  /** `refuses`: whether requests are refused while the counter does not answer. */
  constructor(guarded: GuardedCounter, refuses: boolean) {
    this.#guarded = guarded
    this.#refuses = refuses
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Charge> {
    const look = async (): Promise<Charge> => {
      const readings = await guardedPeek(this.#guarded, subject, limits)
      const taken = limits.every((limit, index) => hasRoom(limit, readings[index], cost))
      return { taken, readings, receipt: uncounted }
    }
    if (this.#refuses) return look()
    return orElse(look, (fault) => ({
      taken: true,
      readings: [],
      receipt: uncounted,
      alone: { fault, processes: undefined },
    }))
  }

  giveBack(): void {
    // Nothing was charged.
  }
}

function hasRoom({ algorithm }: CounterLimit, reading: Reading | undefined, cost: number): boolean {
  return reading !== undefined && reading.remaining >= (algorithm === 'concurrent' ? 1 : cost)
}

const uncounted = Symbol('uncounted')

/** What an outage of the counter is answered with. Anything else that goes wrong is no outage, and goes on. */
export function orElse<T>(ask: () => MaybePromise<T>, failed: (fault: ClienteleFault) => T): MaybePromise<T> {
  const answerTo = (error: unknown): T => {
    if (error instanceof ClienteleFault && error.code === 'ERR_CLIENTELE_COUNTER') return failed(error)
    throw error
  }
  try {
    const answer = ask()
    return isPromise(answer) ? answer.catch(answerTo) : answer
  } catch (error) {
    return answerTo(error)
  }
}
