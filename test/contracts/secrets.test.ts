import { scryptSync } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import type { Client } from '../../src/contracts/model.js'
import { checkRecord } from '../../src/contracts/check-record.js'
import type * as secrets from '../../src/contracts/secrets.js'
import { isPromise } from '../../src/decisions/maybe-promise.js'
import { clientRecord } from '../../src/testing/contract-store-fixtures.js'

type Secrets = typeof secrets

const now = new Date('2026-03-01T00:00:00.000Z')
const later = now.getTime() + 1

/** A process of its own, as it were: what has been seen before is forgotten. */
async function fresh(): Promise<Secrets> {
  vi.resetModules()
  return import('../../src/contracts/secrets.js')
}

const holding = (...secrets: Client['secrets']): Client => clientRecord('one', { secrets })

describe('generated secrets', () => {
  it('are told from others by their text alone', async () => {
    const { generateSecret, isGeneratedSecret, secretForm } = await fresh()
    const { text } = generateSecret(now)
    expect(text).toMatch(/^cls_[A-Za-z0-9_-]{49}$/)
    expect(isGeneratedSecret(text)).toBe(true)
    for (let at = 'cls_'.length; at < text.length; at++) {
      const mistyped = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
      expect(secretForm(mistyped)).toBe('mistyped')
    }
    expect(secretForm(text.slice(0, -1))).toBe('mistyped')
    expect(secretForm(`${text}\n`)).toBe('mistyped')
    expect(secretForm(` ${text}`)).toBe('other')
    expect(generateSecret(now).text).not.toBe(text)
  })

  it('are checked at once: right, wrong, unknown client, and one of two readings', async () => {
    const { generateSecret, prepareSecrets, verifySecret } = await fresh()
    const [mine, other] = [generateSecret(now), generateSecret(now)]
    const prepared = prepareSecrets(holding(mine.stored))
    expect(verifySecret(prepared, [mine.text], later)).toBe(true)
    expect(verifySecret(prepared, [other.text], later)).toBe(false)
    expect(verifySecret(undefined, [mine.text], later)).toBe(false)
    expect(verifySecret(prepared, [other.text, mine.text], later)).toBe(true)
    expect(verifySecret(prepared, [], later)).toBe(false)
    expect(verifySecret(prepared, [mine.stored.hash], later)).toBe(false)
  })

  it('end when they are said to end', async () => {
    const { generateSecret, prepareSecrets, verifySecret } = await fresh()
    const { text, stored } = generateSecret(now)
    const prepared = prepareSecrets(holding({ ...stored, endsAt: new Date(now.getTime() + 1000).toISOString() }))
    expect(verifySecret(prepared, [text], now.getTime() + 999)).toBe(true)
    expect(verifySecret(prepared, [text], now.getTime() + 1000)).toBe(false)
  })
})

describe('chosen secrets', () => {
  it('are checked slowly once, and then at once', async () => {
    const { storeChosenSecret, prepareSecrets, verifySecret } = await fresh()
    const stored = await storeChosenSecret('correct horse', now)
    const prepared = prepareSecrets(checkRecord('client', holding(stored)))
    const first = verifySecret(prepared, ['correct horse'], later)
    expect(isPromise(first)).toBe(true)
    expect(await first).toBe(true)
    expect(verifySecret(prepared, ['correct horse'], later)).toBe(true)
    expect(await verifySecret(prepared, ['wrong horse'], later)).toBe(false)
    expect(isPromise(verifySecret(prepared, ['wrong horse'], later))).toBe(true)
    const ended = prepareSecrets(holding({ ...stored, endsAt: now.toISOString() }))
    expect(await verifySecret(ended, ['correct horse'], later)).toBe(false)
  })

  it('cost unknown clients a slow check too, but only once there are any', async () => {
    const { storeChosenSecret, generateSecret, prepareSecrets, verifySecret } = await fresh()
    const plain = prepareSecrets(holding(generateSecret(now).stored))
    expect(verifySecret(undefined, ['anything'], later)).toBe(false)
    expect(verifySecret(plain, ['anything'], later)).toBe(false)
    prepareSecrets(holding(await storeChosenSecret('correct horse', now)))
    for (const prepared of [undefined, plain]) {
      const answer = verifySecret(prepared, ['anything'], later)
      expect(isPromise(answer)).toBe(true)
      expect(await answer).toBe(false)
    }
    expect(verifySecret(undefined, [generateSecret(now).text], later)).toBe(false)
  })

  it('may come from elsewhere, with other costs', async () => {
    const { prepareSecrets, verifySecret } = await fresh()
    const salt = Buffer.alloc(24, 7)
    const hash = scryptSync('imported', salt, 64, { cost: 1024, blockSize: 4, parallelization: 2 })
    const record = { id: 'old', algorithm: 'scrypt', createdAt: now.toISOString(), cost: 1024, blockSize: 4 } as const
    const bytes = { hash: hash.toString('base64url'), salt: salt.toString('base64url'), parallelization: 2 }
    const prepared = prepareSecrets(checkRecord('client', holding({ ...record, ...bytes })))
    expect(await verifySecret(prepared, ['imported'], later)).toBe(true)
    expect(await verifySecret(prepared, ['Imported'], later)).toBe(false)
  })

  it('cannot ask for more work than is sane', async () => {
    const { storeChosenSecret } = await fresh()
    const stored = await storeChosenSecret('correct horse', now)
    for (const change of [
      { cost: 2 ** 30 },
      { cost: 3 },
      { cost: 0 },
      { blockSize: 2 ** 20 },
      { parallelization: 1000 },
      { hash: '' },
    ]) {
      expect(() => checkRecord('client', holding({ ...stored, ...change }))).toThrow(
        expect.objectContaining({ code: 'ERR_CLIENTELE_INVALID' }),
      )
    }
  })

  it('of a hundred parallel wrong guesses at most 66 are looked at, the rest is told to come back', async () => {
    const { storeChosenSecret, prepareSecrets, verifySecret } = await fresh()
    const prepared = prepareSecrets(holding(await storeChosenSecret('correct horse', now)))
    const guesses = Array.from({ length: 100 }, async (_, guess) =>
      verifySecret(prepared, [`guess ${String(guess)}`], later),
    )
    const outcomes = await Promise.allSettled(guesses)
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    // More on a machine so busy that some have waited too long.
    expect(refused.length).toBeGreaterThanOrEqual(34)
    expect(refused.length).toBeLessThan(98)
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'ERR_CLIENTELE_BUSY', status: 503 })
    expect(outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value)).toBe(false)
    expect(await verifySecret(prepared, ['correct horse'], later)).toBe(true)
  })

  it('of a client that has several end no process in a flood of guesses, and cost a caller one place', async () => {
    const { storeChosenSecret, prepareSecrets, verifySecret } = await fresh()
    const stored = await Promise.all(['one', 'two', 'three'].map((text) => storeChosenSecret(text, now)))
    const prepared = prepareSecrets(holding(...stored))
    const rejections: unknown[] = []
    const note = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', note)
    const guesses = Array.from({ length: 90 }, async (_, guess) =>
      verifySecret(prepared, [`guess ${String(guess)}`], later),
    )
    await Promise.allSettled(guesses)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
    expect(await verifySecret(prepared, ['three'], later)).toBe(true)
  })

  it('that many requests present at the same time are checked once', async () => {
    const { storeChosenSecret, prepareSecrets, verifySecret } = await fresh()
    const prepared = prepareSecrets(holding(await storeChosenSecret('correct horse', now)))
    const answers = Array.from({ length: 500 }, async () => verifySecret(prepared, ['correct horse'], later))
    expect(await Promise.all(answers)).toEqual(Array(500).fill(true))
  })
})
