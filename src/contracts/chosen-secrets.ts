import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ClienteleFault } from '../decisions/faults.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { fingerprint } from '../runtime/fingerprint.js'
import { slowGate } from '../runtime/slow-gate.js'
import type { ChosenSecret } from './model.js'

const defaults = { cost: 2 ** 14, blockSize: 8, parallelization: 1 }
const hashLength = 32

type ScryptRecord = Pick<ChosenSecret, 'hash' | 'salt' | 'cost' | 'blockSize' | 'parallelization'>

/** A secret that a person chose, decoded for checking. */
export interface PreparedChosen {
  readonly name: string
  readonly salt: Buffer
  readonly hash: Buffer
  readonly options: ScryptOptions
  readonly endsAtMs: number
}

export async function hashChosen(text: string): Promise<ScryptRecord> {
  const salt = randomBytes(16)
  const hash = await derive(text, salt, hashLength, optionsOf(defaults))
  return { hash: hash.toString('base64url'), salt: salt.toString('base64url'), ...defaults }
}

/** From the first client with a chosen secret on, unknown clients cost a slow hash too. Until then nobody does. */
let chosenSecretsExist = false

export function prepareChosen(secret: ChosenSecret, endsAtMs: number): PreparedChosen {
  chosenSecretsExist = true
  return prepare(secret.id, secret, endsAtMs)
}

function prepare(id: string, record: ScryptRecord, endsAtMs: number): PreparedChosen {
  return {
    name: `${id} ${record.salt} ${record.hash} `,
    salt: Buffer.from(record.salt, 'base64url'),
    hash: Buffer.from(record.hash, 'base64url'),
    options: optionsOf(record),
    endsAtMs,
  }
}

function optionsOf(record: Pick<ScryptRecord, 'cost' | 'blockSize' | 'parallelization'>): ScryptOptions {
  const { cost, blockSize, parallelization } = record
  // Node's own ceiling is 32 MiB; what a record may ask for was capped when the record was checked.
  return { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize }
}

const dummy = prepare(
  'dummy',
  { ...defaults, salt: randomBytes(16).toString('base64url'), hash: randomBytes(hashLength).toString('base64url') },
  Infinity,
)

/** Whether a text is one of the chosen secrets. Each live one is checked, or a dummy where there is none. */
export function matchesChosen(secrets: readonly PreparedChosen[], text: string, nowMs: number): MaybePromise<boolean> {
  if (!chosenSecretsExist) return false
  const live = secrets.filter((secret) => secret.endsAtMs > nowMs)
  const [only = dummy, ...others] = live
  return others.length === 0 ? matches(only, text) : matchesAny(live, text)
}

/** One after the other: a caller has one place in the line, however many secrets there are to look at. */
async function matchesAny(secrets: readonly PreparedChosen[], text: string): Promise<boolean> {
  let found = false
  for (const secret of secrets) found = (await matches(secret, text)) || found
  return found
}

const gate = slowGate({ running: 2, waiting: 64, waitMs: 5000 }, () => {
  const message = 'Too many checks of chosen secrets are waiting; try again.'
  return new ClienteleFault('ERR_CLIENTELE_BUSY', message, { retryAfterSeconds: 1 })
})

const verified = new LRUCache<string, true>({ max: 10_000 })
const underway = new Map<string, Promise<boolean>>()

function matches(secret: PreparedChosen, text: string): MaybePromise<boolean> {
  const memory = fingerprint(secret.name + text)
  if (verified.get(memory) === true) return true
  let check = underway.get(memory)
  if (check === undefined) {
    check = compareSlowly(secret, text, memory)
    underway.set(memory, check)
  }
  return check
}

async function compareSlowly(secret: PreparedChosen, text: string, memory: string): Promise<boolean> {
  try {
    const hash = await gate(() => derive(text, secret.salt, secret.hash.length, secret.options))
    const equal = timingSafeEqual(hash, secret.hash)
    if (equal) verified.set(memory, true)
    return equal
  } finally {
    underway.delete(memory)
  }
}

function derive(text: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(text, salt, length, options, (error, hash) => {
      if (error === null) resolve(hash)
      else reject(error)
    })
  })
}
