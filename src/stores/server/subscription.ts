import { ClienteleFault } from '../../decisions/faults.js'
import { deadline } from '../../runtime/deadline.js'
import type { Subscribed } from '../../runtime/subscribed.js'

export interface Channel {
  subscribe(message: (text: string) => void, lost: () => void): Subscribed
}

export interface Listener {
  message(text: string): void
  /** Messages come in, for the first time or again: those that were sent before went by. */
  begun(): void
}

/** Short, since what a server that is back has to say must be heard within a second. */
const pauseMs = 250
/** A connection that is dead need not say so. */
const heartbeatMs = 1000
const timeoutMs = 1000

/** Listens to a channel until it is stopped, however often the connection is lost. */
export class Subscription {
  readonly #channel: Channel
  readonly #listener: Listener
  readonly #ended: Promise<void>
  readonly #stopped: Promise<void>
  #stop: () => void = () => undefined
  #isStopped = false

  constructor(channel: Channel, listener: Listener) {
    this.#channel = channel
    this.#listener = listener
    this.#stopped = new Promise((resolve) => {
      this.#stop = resolve
    })
    this.#ended = this.#run()
  }

  /** Resolves when the connection is given back. */
  stop(): Promise<void> {
    this.#isStopped = true
    this.#stop()
    return this.#ended
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#listen().catch(() => undefined)
      // Not all processes at the same moment.
      await Promise.race([this.#stopped, pause(pauseMs * (1 + Math.random()))])
    }
  }

  async #listen(): Promise<void> {
    let lost: () => void = () => undefined
    const over = Promise.race([this.#stopped, new Promise<void>((resolve) => (lost = resolve))]).then(() => true)
    const isOverBefore = (work: Promise<unknown>): Promise<boolean> => Promise.race([over, work.then(() => false)])

    const subscribed = this.#channel.subscribe((text) => {
      if (!this.#isStopped) this.#listener.message(text)
    }, lost)
    try {
      if (await isOverBefore(inTime(subscribed.ready))) return
      this.#listener.begun()
      while (!(await isOverBefore(pause(heartbeatMs)))) {
        if (await isOverBefore(inTime(subscribed.ping()))) return
      }
    } finally {
      subscribed.close()
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return deadline(work, timeoutMs, () => new ClienteleFault('ERR_CLIENTELE_STORE', 'The contract store is silent.'))
}
