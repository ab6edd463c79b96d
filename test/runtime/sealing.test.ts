import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { ClienteleFault } from '../../src/decisions/faults.js'
import { createSealing } from '../../src/runtime/sealing.js'
import { faultOf } from '../support/fault-of.js'

const older = randomBytes(32).toString('base64url')
const newer = randomBytes(32).toString('hex')
const place = 'registration/okta/app-1'

async function refused(work: () => unknown): Promise<ClienteleFault> {
  return (await faultOf(work)) as ClienteleFault
}

describe('a sealed text', () => {
  it('opens with the key that sealed it, and holds nothing of the text', () => {
    const sealing = createSealing(older)
    const sealed = sealing.seal('very secret: ü', place)
    expect(sealing.open(sealed, place)).toBe('very secret: ü')
    expect(sealed).not.toContain('secret')
    expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/)
    expect(sealing.open(sealing.seal('', place), place)).toBe('')
  })

  it('is another each time', () => {
    const sealing = createSealing(older)
    expect(sealing.seal('text', place)).not.toBe(sealing.seal('text', place))
  })

  it('opens in its place alone', async () => {
    const sealing = createSealing(older)
    const sealed = sealing.seal('text', place)
    const fault = await refused(() => sealing.open(sealed, 'registration/okta/app-2'))
    expect(fault.code).toBe('ERR_CLIENTELE_INVALID')
    expect(fault.message).toContain('moved here from another record')
  })

  it('opens no more after a single changed character', async () => {
    const sealing = createSealing(older)
    const sealed = sealing.seal('text', place)
    for (let at = 0; at < sealed.length - 1; at += 1) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`
      expect((await refused(() => sealing.open(changed, place))).code).toBe('ERR_CLIENTELE_INVALID')
    }
    for (const nonsense of ['', 'text', 'v1..', `${sealed}.x`, sealed.slice(0, 30), sealed.replace('v1', 'v2')]) {
      expect((await refused(() => sealing.open(nonsense, place))).code).toBe('ERR_CLIENTELE_INVALID')
    }
  })
})

describe('a change of keys', () => {
  it('seals with the first, opens with all, and says what is to be sealed anew', () => {
    const before = createSealing(older)
    const after = createSealing(`${newer}, ${older}`)
    const sealed = before.seal('text', place)
    expect(after.open(sealed, place)).toBe('text')
    expect(after.isCurrent(sealed)).toBe(false)
    expect(after.isCurrent(after.seal('text', place))).toBe(true)
  })

  it('says, without a value, that a key is missing', async () => {
    const sealed = createSealing(older).seal('text', place)
    const fault = await refused(() => createSealing([newer]).open(sealed, place))
    expect(fault.message).toContain('put that key behind the present one')
    for (const value of [older, newer, sealed]) expect(inspect(fault, { depth: 10 })).not.toContain(value)
  })
})

describe('keys', () => {
  it.each([
    ['none', []],
    ['an empty text', ''],
    ['a pass phrase', 'correct horse battery staple'],
    ['too short', randomBytes(16).toString('hex')],
    ['too long', randomBytes(33).toString('base64url')],
    ['one good and one not', `${older},nonsense`],
  ])('that are %s are refused where they are given, with the remedy and without the value', async (_, keys) => {
    const fault = await refused(() => createSealing(keys))
    expect(fault.code).toBe('ERR_CLIENTELE_OPTIONS')
    expect(fault.message).toContain('crypto.randomBytes(32)')
    expect(fault.message).not.toContain('nonsense')
    expect(fault.message).not.toContain(older)
  })
})
