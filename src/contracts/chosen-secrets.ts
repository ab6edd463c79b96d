import { createHash, randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ClienteleFault } from '../decisions/faults.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { fingerprint } from '../runtime/fingerprint.js'
import { slowGate } from '../runtime/slow-gate.js'
import { matchesBcrypt } from './bcrypt-worker.js'
import type { ChosenSecret, ImportedSecret, ImportedSha256Secret } from './model.js'

const defaults = { cost: 2 ** 14, blockSize: 8, parallelization: 1 }
const hashLength = 32

type ScryptRecord = Pick<ChosenSecret, 'hash' | 'salt' | 'cost' | 'blockSize' | 'parallelization'>

/** A secret whose check is slow: one that a person chose, or that was imported. Decoded for checking. */
export interface PreparedChosen {
  readonly name: string
  readonly check: (text: string) => Promise<boolean>
  readonly endsAtMs: number
}

export async function hashChosen(text: string): Promise<ScryptRecord> {
  const salt = randomBytes(16)
  const hash = await derive(text, salt, hashLength, optionsOf(defaults))
  return { hash: hash.toString('base64url'), salt: salt.toString('base64url'), ...defaults }
}

/** From the first client with a chosen secret on, unknown clients cost a slow hash too. Until then nobody does. */
let chosenSecretsExist = false

export function prepareChosen(secret: ChosenSecret | ImportedSecret, endsAtMs: number): PreparedChosen {
  chosenSecretsExist = true
  return { name: `${secret.id} ${secret.hash} `, check: checkOf(secret), endsAtMs }
}

/** Whether a text is what an imported hash was made of, with a place in the line of slow checks. */
export function matchesImported(secret: ImportedSecret, text: string): MaybePromise<boolean> {
  return matches(prepareChosen(secret, Infinity), text)
}

function checkOf(secret: ChosenSecret | ImportedSecret): (text: string) => Promise<boolean> {
  if (secret.algorithm === 'scrypt') return scryptCheck(secret)
  const { hash } = secret
  return secret.algorithm === 'imported-bcrypt' ? (text) => matchesBcrypt(hash, text) : sha256Check(secret)
}

function scryptCheck(record: ScryptRecord): (text: string) => Promise<boolean> {
  const salt = Buffer.from(record.salt, 'base64url')
  const hash = Buffer.from(record.hash, 'base64url')
  const options = optionsOf(record)
  return async (text) => timingSafeEqual(await derive(text, salt, hash.length, options), hash)
}

/** As slow as the check of a chosen one, so that a quick answer tells nobody whose secret was imported. */
function sha256Check({ hash, salt = '' }: ImportedSha256Secret): (text: string) => Promise<boolean> {
  const expected = Buffer.from(hash, 'base64url')
  return async (text) => {
    const equal = timingSafeEqual(
      createHash('sha256')
        .update(salt + text)
        .digest(),
      expected,
    )
    await dummy.check(text)
    return equal
  }
}

function optionsOf(record: Pick<ScryptRecord, 'cost' | 'blockSize' | 'parallelization'>): ScryptOptions {
  const { cost, blockSize, parallelization } = record
  // Node's own ceiling is 32 MiB; what a record may ask for was capped when the record was checked.
  return { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize }
}

const dummyRecord = {
  ...defaults,
  salt: randomBytes(16).toString('base64url'),
  hash: randomBytes(hashLength).toString('base64url'),
}
const dummy: PreparedChosen = { name: 'dummy ', check: scryptCheck(dummyRecord), endsAtMs: Infinity }

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

/** For slow hashes that callers can bring about, whoever they are. */
export const inTurn = slowGate({ running: 2, waiting: 64, waitMs: 5000 }, () => {
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
    const equal = await inTurn(() => secret.check(text))
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
