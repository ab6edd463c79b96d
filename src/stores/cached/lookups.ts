import { LRUCache } from 'lru-cache'
import { storeFault, tooLate } from '../../contracts/reader.js'
import { isPromise, type MaybePromise } from '../../decisions/maybe-promise.js'
import { backOffMs } from '../../runtime/back-off.js'
import { monotonicClock } from '../../runtime/clock.js'
import { deadline } from '../../runtime/deadline.js'
import { hasPassed, never, type Moment } from '../../runtime/moment.js'
import { warn } from '../../runtime/warn.js'
import { joined, type Hints } from './hints.js'
import { tooManyMisses } from './miss-budget.js'
import type { LookupBounds, LookupTimes, Question } from './question.js'

interface Failure {
  readonly moment: number
  readonly count: number
  readonly retryAt: number
}

interface Answer<T> {
  readonly value: T
  /** Its age counts from the moment of asking: older than that it cannot be. */
  readonly askedAt: number
  /** When a copy that it came from may no longer be relied on. */
  readonly ends: Moment
  readonly moment: number
  failure: Failure | undefined
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

interface Ask {
  readonly key: string
  readonly first: string
  readonly second: string
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
  /** In the order of reading, not of use: whoever is in use is read again, and its place costs no write per use. */
  readonly #known: LRUCache<string, Answer<T>>
  readonly #unknown: LRUCache<string, { readonly moment: number; readonly until: number }>
  readonly #flights = new Map<string, Flight<T>>()

  constructor(question: Question<T>, hints: Hints, times: LookupTimes, bounds: LookupBounds) {
    this.#question = question
    this.#hints = hints
    this.#times = times
    this.#servedForMs = times.freshForMs + Math.min(times.freshForMs, longestGraceMs)
    this.#known = new LRUCache({ max: bounds.maxEntries })
    this.#unknown = new LRUCache({ max: bounds.maxUnknown })
  }

  find(first: string, second: string): MaybePromise<T | undefined> {
    const key = joined(first, second)
    const answer = this.#known.peek(key)
    if (answer === undefined) return this.#findUnknown({ key, first, second })
    const ageMs = monotonicClock() - answer.askedAt
    if (answer.ends !== never && hasPassed(answer.ends)) return this.#read({ key, first, second }, answer.value)
    if (ageMs < this.#times.freshForMs && this.#isCurrent(key, answer.moment, answer.value)) return answer.value
    return this.#findOld({ key, first, second }, answer, ageMs)
  }

  /** Whether nothing has been heard since that speaks against it. */
  #isCurrent(key: string, moment: number, answer: T | undefined): boolean {
    return moment > this.#hints.missedAt && moment >= this.#question.hintedAt(key, answer)
  }

  #findOld(ask: Ask, answer: Answer<T>, ageMs: number): MaybePromise<T | undefined> {
    const { value, failure } = answer
    if (failure !== undefined && this.#isCurrent(ask.key, failure.moment, value)) {
      // The store has just failed: it is left alone for a while, and nobody waits for it.
      if (monotonicClock() < failure.retryAt && this.#isUsable(ask.key, answer, ageMs)) return value
    } else if (ageMs < this.#servedForMs && this.#isCurrent(ask.key, answer.moment, value)) {
      const next = this.#read(ask, value)
      if (!isPromise(next)) return next
      next.catch(() => undefined)
      return value
    }
    return this.#read(ask, value)
  }

  /** While the store fails. Never a record that is known to have changed: that it did is all that is known of it. */
  #isUsable(key: string, { value, moment, ends }: Answer<T>, ageMs: number): boolean {
    return !hasPassed(ends) && ageMs < this.#times.staleForMs && moment >= this.#question.hintedAt(key, value)
  }

  #findUnknown(ask: Ask): MaybePromise<T | undefined> {
    const gone = this.#unknown.peek(ask.key)
    const isRemembered = gone !== undefined && monotonicClock() < gone.until
    if (isRemembered && this.#isCurrent(ask.key, gone.moment, undefined)) return undefined
    return this.#read(ask, undefined)
  }

  /** Joins the look-up under way, unless a hint has come since it began. */
  #read(ask: Ask, known: T | undefined): MaybePromise<T | undefined> {
    const flight = this.#flights.get(ask.key)
    if (flight !== undefined && this.#isCurrent(ask.key, flight.moment, known)) return flight.result
    if (known === undefined && this.#question.budget?.take() === false) throw tooManyMisses()
    return this.#ask(ask)
  }

  #ask(ask: Ask): MaybePromise<T | undefined> {
    const moment = this.#hints.next()
    const askedAt = monotonicClock()
    try {
      const begun = { moment, askedAt, ends: this.#question.ends?.() ?? never }
      const found = this.#question.ask(ask.first, ask.second)
      if (!isPromise(found)) return this.#keep(ask.key, begun, found)
      return this.#fly(ask, begun, found)
    } catch (error) {
      return this.#afterFailure(ask.key, moment, error)
    }
  }

  #fly(ask: Ask, begun: Begun, found: Promise<unknown>): Promise<T | undefined> {
    const { key } = ask
    const { moment } = begun
    const { timeoutMs } = this.#times
    // What comes too late for those who wait is kept for others.
    const kept = Promise.resolve(found).then((arrived) => this.#keep(key, begun, arrived))
    const result = deadline(kept, timeoutMs, () => tooLate(timeoutMs))
      .catch((error: unknown) => this.#afterFailure(key, moment, error))
      .finally(() => {
        if (this.#flights.get(key)?.moment === moment) this.#flights.delete(key)
      })
      // Which record a hint was about may show only now.
      .then((value) => (moment >= this.#question.hintedAt(key, value) ? value : this.#read(ask, value)))
    this.#flights.set(key, { moment, result })
    return result
  }

  /** The answer in force: another one, where a later look-up was faster. */
  #keep(key: string, { moment, askedAt, ends }: Begun, found: unknown): T | undefined {
    const before = this.#known.peek(key)
    if (before !== undefined && before.moment > moment) return before.value
    if ((this.#unknown.peek(key)?.moment ?? 0) > moment) return undefined
    if (found === undefined || found === null) {
      this.#known.delete(key)
      this.#unknown.set(key, { moment, until: Math.min(ends.monotonicMs, askedAt + this.#times.unknownForMs) })
      return undefined
    }
    if (typeof found !== 'object') throw new TypeError('A store answers with records or undefined.')
    const value = this.#question.newer(before?.value, this.#question.read(found), moment)
    if (before === undefined) this.#question.budget?.giveBack()
    this.#unknown.delete(key)
    this.#known.set(key, { value, askedAt, ends, moment, failure: undefined })
    return value
  }

  #afterFailure(key: string, moment: number, error: unknown): T {
    const answer = this.#known.peek(key)
    if (answer === undefined) throw storeFault(error)
    if (answer.moment > moment) return answer.value
    const now = monotonicClock()
    const count = (answer.failure?.count ?? 0) + 1
    const longestMs = Math.min(longestBackOffMs, this.#times.freshForMs)
    answer.failure = { moment, count, retryAt: now + backOffMs(count, longestMs) }
    if (!this.#isUsable(key, answer, now - answer.askedAt)) throw storeFault(error)
    warn('The contract store fails. cachedStore() goes on with the last good answers for as long as staleForMs allows.')
    return answer.value
  }
}
