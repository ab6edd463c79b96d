import { ClienteleFault } from '../../decisions/faults.js'
import type { RedisCommands } from '../../redis/connection.js'
import { EvictionCheck } from '../../redis/eviction.js'
import { listOf } from '../../redis/replies.js'
import { runScript, type RedisScript } from '../../redis/script.js'
import { monotonicClock } from '../../runtime/clock.js'
import { deadline } from '../../runtime/deadline.js'
import { numberOf } from './answer.js'

/** More than a server that answers ever has before it; one that is silent must not fill the memory. */
const maxUnanswered = 10_000
/** The time of the server may be another than was thought; a second time, a window may turn on the way. */
const maxAttempts = 4
const never = Number.MAX_SAFE_INTEGER

/** Where the counting is done: runs scripts, within a time, by the server's clock. */
export class CountingServer {
  readonly timeoutMs: number
  readonly #connection: RedisCommands
  readonly #eviction: EvictionCheck
  /** What to add to the monotonic clock: less than the server's time by as long as an answer takes. */
  #offsetMs: number | undefined
  #unanswered = 0
  #isReady = false
  #isClosed = false
  readonly #isAnswered = (): void => {
    this.#unanswered -= 1
  }

  constructor(connection: RedisCommands, timeoutMs: number, anyKey: string) {
    this.timeoutMs = timeoutMs
    this.#connection = connection
    this.#eviction = new EvictionCheck(connection, anyKey, evicts)
  }

  async ready(): Promise<void> {
    await this.#guarded(() => this.#eviction.ready())
    this.#isReady = true
  }

  /**
   * `questionAt` is given the server's time, and returns what stands in a list of JSON. What the script answers with
   * 'again' is asked again, with its time.
   */
  async run(
    script: RedisScript,
    keys: readonly string[],
    questionAt: (serverNowMs: number) => string,
  ): Promise<readonly unknown[]> {
    if (!this.#isReady) await this.ready()
    return this.#guarded(() => this.#attempt(script, keys, questionAt))
  }

  close(): void {
    this.#isClosed = true
    this.#connection.close()
  }

  async #attempt(
    script: RedisScript,
    keys: readonly string[],
    questionAt: (serverNowMs: number) => string,
  ): Promise<readonly unknown[]> {
    const givenUpAtMs = monotonicClock() + this.timeoutMs
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const offsetMs = this.#offsetMs
      const nowMs = offsetMs === undefined ? Date.now() : Math.floor(monotonicClock() + offsetMs)
      // Before the first answer nobody can tell by the server's clock when it is too late.
      const until = offsetMs === undefined ? never : Math.floor(givenUpAtMs + offsetMs)
      const reply = listOf(await runScript(this.#connection, script, keys, [`[${until},${questionAt(nowMs)}]`]))
      this.#offsetMs = numberOf(reply[1]) - monotonicClock()
      if (reply[0] === 'broken') throw broken()
      if (reply[0] !== 'again') return reply
      if (monotonicClock() >= givenUpAtMs) break
    }
    throw fault(`no answer from the server in ${String(this.timeoutMs)} ms`)
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw fault('it is closed')
    if (this.#unanswered >= maxUnanswered) throw fault('too many questions are unanswered')
    this.#unanswered += 1
    const answered = work()
    answered.then(this.#isAnswered, this.#isAnswered)
    try {
      return await deadline(answered, this.timeoutMs, () => fault(`no answer from the server in ${this.timeoutMs} ms`))
    } catch (cause) {
      throw cause instanceof ClienteleFault ? cause : fault('the server failed', cause)
    }
  }
}

function fault(what: string, cause?: unknown): ClienteleFault {
  const details = cause === undefined ? {} : { cause }
  return new ClienteleFault('ERR_CLIENTELE_COUNTER', `redisCounter(): ${what}`, details)
}

function broken(): ClienteleFault {
  return fault('what is kept under the key of this subject is no account of ours; reset() of the subject deletes it')
}

function evicts(): ClienteleFault {
  return fault('the server may throw counts away; set its maxmemory-policy to noeviction')
}
