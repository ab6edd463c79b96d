import { ClienteleFault } from '../../decisions/faults.js'
import { deadline } from '../../runtime/deadline.js'

/** What is used of a Keyv. An instance of version 5 or 6 fits, over any adapter. */
export interface KeyvLike {
  get(key: string): Promise<unknown>
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- Keyv has two, of which none takes both
  get(keys: string[]): Promise<unknown>
  set(key: string, value: string, ttl?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  disconnect(): Promise<void>
  on(event: 'error', listener: (error: unknown) => void): unknown
  /** The adapter. The first of Keyv 5 have it in `opts` alone. */
  readonly store?: unknown
  readonly opts?: { readonly store?: unknown }
}

/** Texts by key, in which an outage is always a rejection. */
export interface Backend {
  /** `undefined`: nothing stands there, as far as the adapter can be believed. */
  read(keys: readonly string[]): Promise<readonly (string | undefined)[]>
  /** `null` deletes. The adapter may have failed all the same: only a read tells. */
  write(key: string, text: string | null): Promise<void>
  /** When nothing that was written before can still arrive, also of what was given up. */
  settled(): Promise<void>
  close(): Promise<void>
}

export function backendOf(keyv: KeyvLike, timeoutMs: number): Backend {
  const strict = strictView(keyv)
  const errors = errorsOf(keyv)
  const underWay = writesOf(keyv)
  const bounded = <T>(work: Promise<T>): Promise<T> => deadline(work, timeoutMs, () => tooLate(timeoutMs))
  return {
    async read(keys) {
      const seen = errors.count
      const answers = await asked(bounded(ask(strict, keys)))
      if (!isTexts(answers) || answers.length !== keys.length) throw outage('Keyv gave no texts of ours.')
      // Whose error it was is not known: an answer that is there needs no doubt, one that is missing does.
      if (errors.count !== seen && answers.includes(undefined)) throw outage('Keyv met an error, and hid it.')
      return answers
    },
    async write(key, text) {
      // A lifetime of 0 stands for "none", also where the Keyv has one for all its records.
      const writing = text === null ? strict.delete(key) : strict.set(key, text, 0)
      const end = (): boolean => underWay.delete(writing)
      underWay.add(writing)
      writing.then(end, end)
      const done = await asked(bounded(writing))
      if (text !== null && done === false) throw outage('Keyv could not write.')
    },
    async settled() {
      if (underWay.size > 0) await asked(bounded(Promise.allSettled(underWay)))
    },
    close: () => asked(bounded(keyv.disconnect())),
  }
}

function isTexts(answers: unknown): answers is readonly (string | undefined)[] {
  return Array.isArray(answers) && answers.every((answer) => typeof answer === 'string' || answer === undefined)
}

/** In one call where the adapter can, so that it cannot fail for some keys alone. Without, Keyv 5 would hide a failure. */
function ask(strict: KeyvLike, keys: readonly string[]): Promise<unknown> {
  const adapter = (strict.store ?? strict.opts?.store) as { readonly getMany?: unknown } | undefined
  if (typeof adapter?.getMany === 'function') return strict.get([...keys])
  return Promise.all(keys.map((key) => strict.get(key)))
}

/**
 * The same Keyv, with Keyv 5 told to reject where it would otherwise answer `undefined` or `false`. The caller's own
 * instance stays as it is. Keyv 6 has no such switch.
 */
function strictView(keyv: KeyvLike): KeyvLike {
  return Object.create(keyv, { throwOnErrors: { value: true }, _throwOnErrors: { value: true } }) as KeyvLike
}

interface Errors {
  count: number
}

const errorsByKeyv = new WeakMap<KeyvLike, Errors>()

/**
 * Errors that Keyv or its adapter reported instead of rejecting. Without any listener Keyv 6 would throw them where
 * nobody can catch them, and a lost connection would end the process.
 */
function errorsOf(keyv: KeyvLike): Errors {
  const known = errorsByKeyv.get(keyv)
  if (known !== undefined) return known
  const errors: Errors = { count: 0 }
  keyv.on('error', () => {
    errors.count += 1
  })
  errorsByKeyv.set(keyv, errors)
  return errors
}

const writesByKeyv = new WeakMap<KeyvLike, Set<Promise<unknown>>>()

function writesOf(keyv: KeyvLike): Set<Promise<unknown>> {
  const known = writesByKeyv.get(keyv) ?? new Set()
  writesByKeyv.set(keyv, known)
  return known
}

async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof ClienteleFault ? error : outage('Keyv failed.', error)
  }
}

export function outage(what: string, cause?: unknown): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STORE', `keyvStore(): ${what}`, cause === undefined ? {} : { cause })
}

function tooLate(timeoutMs: number): ClienteleFault {
  return outage(`Keyv gave no answer in ${String(timeoutMs)} ms.`)
}
