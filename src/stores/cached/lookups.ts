import { storeFault, tooLate } from '../../contracts/reader.js'
import { isPromise, type MaybePromise } from '../../decisions/maybe-promise.js'
import { backOffMs } from '../../runtime/back-off.js'
import { monotonicClock } from '../../runtime/clock.js'
import { deadline } from '../../runtime/deadline.js'
import { hasPassed, never, type Moment } from '../../runtime/moment.js'
import { warn } from '../../runtime/warn.js'
import type { Hints } from './hints.js'
import { tooManyMisses } from './miss-budget.js'
import { BoundedPairs, detached, PairMap, type Pair } from './pairs.js'
import type { LookupBounds, LookupTimes, Question } from './question.js'

interface Failure {
  readonly moment: number
  readonly count: number
  readonly retryAt: number
}

interface Answer<T> extends Pair {
  readonly value: T
  /** Its age counts from the moment of asking: older than that it cannot be. */
  readonly askedAt: number
  /** When a copy that it came from may no longer be relied on. */
  readonly ends: Moment
  readonly moment: number
  failure: Failure | undefined
}

interface Gone extends Pair {
  readonly moment: number
  readonly until: number
}

interface Flight<T> {
  readonly moment: number
  readonly result: Promise<T | undefined>
}

/** When it was asked, by both measures. */
interface Begun {
  readonly moment: number
  readonly askedAt: number
  readonly ends: Moment
}

/** How much longer than `freshForMs` an answer may serve while the next one is on its way. */
const longestGraceMs = 1000
const longestBackOffMs = 30_000

/** Answers to one question: what the store said, for as long as it may be taken for true. */
export class Lookups<T> {
  readonly #question: Question<T>
  readonly #hints: Hints
  readonly #times: LookupTimes
  readonly #servedForMs: number
  readonly #known: BoundedPairs<Answer<T>>
  readonly #unknown: BoundedPairs<Gone>
  readonly #flights = new PairMap<Flight<T>>()

  constructor(question: Question<T>, hints: Hints, times: LookupTimes, bounds: LookupBounds) {
    this.#question = question
    this.#hints = hints
    this.#times = times
    this.#servedForMs = times.freshForMs + Math.min(times.freshForMs, longestGraceMs)
    this.#known = new BoundedPairs(bounds.maxEntries)
    this.#unknown = new BoundedPairs(bounds.maxUnknown)
  }

  find(group: string, name: string): MaybePromise<T | undefined> {
    const answer = this.#known.get(group, name)
    if (answer === undefined) return this.#findUnknown(group, name)
    const { value } = answer
    const ageMs = monotonicClock() - answer.askedAt
    if (answer.ends !== never && hasPassed(answer.ends)) return this.#read(answer, value)
    if (ageMs < this.#times.freshForMs && this.#isCurrent(answer, answer.moment, value)) return value
    return this.#findOld(answer, ageMs)
  }

  /** Whether nothing has been heard since that speaks against it. */
  #isCurrent(pair: Pair, moment: number, answer: T | undefined): boolean {
    return moment > this.#hints.missedAt && moment >= this.#question.hintedAt(pair, answer)
  }

  #findOld(answer: Answer<T>, ageMs: number): MaybePromise<T | undefined> {
    const { value, failure } = answer
    if (failure !== undefined && this.#isCurrent(answer, failure.moment, value)) {
      // The store has just failed: it is left alone for a while, and nobody waits for it.
      if (monotonicClock() < failure.retryAt && this.#isUsable(answer, ageMs)) return value
    } else if (ageMs < this.#servedForMs && this.#isCurrent(answer, answer.moment, value)) {
      const next = this.#read(answer, value)
      if (!isPromise(next)) return next
      next.catch(() => undefined)
      return value
    }
    return this.#read(answer, value)
  }

  /** While the store fails. Never a record that is known to have changed: that it did is all that is known of it. */
  #isUsable(answer: Answer<T>, ageMs: number): boolean {
    const { value, moment, ends } = answer
    return !hasPassed(ends) && ageMs < this.#times.staleForMs && moment >= this.#question.hintedAt(answer, value)
  }

  #findUnknown(group: string, name: string): MaybePromise<T | undefined> {
    const gone = this.#unknown.get(group, name)
    const isRemembered = gone !== undefined && monotonicClock() < gone.until
    if (isRemembered && this.#isCurrent(gone, gone.moment, undefined)) return undefined
    return this.#read(gone ?? { group, name: this.#question.budget ? detached(name) : name }, undefined)
  }

  /** Joins the look-up under way, unless a hint has come since it began. */
  #read(pair: Pair, known: T | undefined): MaybePromise<T | undefined> {
    const flight = this.#flights.get(pair.group, pair.name)
    if (flight !== undefined && this.#isCurrent(pair, flight.moment, known)) return flight.result
    if (known === undefined && this.#question.budget?.take() === false) throw tooManyMisses()
    return this.#ask(pair)
  }

  #ask(pair: Pair): MaybePromise<T | undefined> {
    const moment = this.#hints.next()
    const askedAt = monotonicClock()
    try {
      const begun = { moment, askedAt, ends: this.#question.ends?.() ?? never }
      const found = this.#question.ask(pair)
      return isPromise(found) ? this.#fly(pair, begun, found) : this.#keep(pair, begun, found)
    } catch (error) {
      return this.#afterFailure(pair, moment, error)
    }
  }

  #fly(pair: Pair, begun: Begun, found: Promise<unknown>): Promise<T | undefined> {
    const { group, name } = pair
    const { moment } = begun
    const { timeoutMs } = this.#times
    // What comes too late for those who wait is kept for others.
    const kept = Promise.resolve(found).then((arrived) => this.#keep(pair, begun, arrived))
    const result = deadline(kept, timeoutMs, () => tooLate(timeoutMs))
      .catch((error: unknown) => this.#afterFailure(pair, moment, error))
      .finally(() => {
        if (this.#flights.get(group, name)?.moment === moment) this.#flights.delete(group, name)
      })
      // Which record a hint was about may show only now.
      .then((value) => (moment >= this.#question.hintedAt(pair, value) ? value : this.#read(pair, value)))
    this.#flights.set(group, name, { moment, result })
    return result
  }

  /** The answer in force: another one, where a later look-up was faster. */
  #keep(pair: Pair, { moment, askedAt, ends }: Begun, found: unknown): T | undefined {
    const { group, name } = pair
    const before = this.#known.get(group, name)
    if (before !== undefined && before.moment > moment) return before.value
    if ((this.#unknown.get(group, name)?.moment ?? 0) > moment) return undefined
    if (found === undefined || found === null) {
      this.#known.delete(pair)
      const until = Math.min(ends.monotonicMs, askedAt + this.#times.unknownForMs)
      this.#unknown.set({ group, name, moment, until })
      return undefined
    }
    if (typeof found !== 'object') throw new TypeError('A store answers with records or undefined.')
    const value = this.#question.newer(before?.value, this.#question.read(found), moment)
    if (before === undefined) this.#question.budget?.giveBack()
    this.#unknown.delete(pair)
    this.#known.set({ group, name, value, askedAt, ends, moment, failure: undefined })
    return value
  }

  #afterFailure({ group, name }: Pair, moment: number, error: unknown): T {
    const answer = this.#known.get(group, name)
    if (answer === undefined) throw storeFault(error)
    if (answer.moment > moment) return answer.value
    const now = monotonicClock()
    const count = (answer.failure?.count ?? 0) + 1
    const longestMs = Math.min(longestBackOffMs, this.#times.freshForMs)
    answer.failure = { moment, count, retryAt: now + backOffMs(count, longestMs) }
    if (!this.#isUsable(answer, now - answer.askedAt)) throw storeFault(error)
    warn('The contract store fails. cachedStore() goes on with the last good answers for as long as staleForMs allows.')
    return answer.value
  }
}
