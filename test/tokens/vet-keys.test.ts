import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { vetKeys } from '../../src/tokens/keys/vet-keys.js'
import { rsaKey } from '../support/signed-jwt.js'

const good = rsaKey('good').jwk

function generated(
  kind: 'rsa' | 'ec' | 'ed25519' | 'x25519',
  part: 'publicKey' | 'privateKey' = 'publicKey',
): JsonWebKey {
  const pair =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : kind === 'ed25519'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('x25519')
  return pair[part].export({ format: 'jwk' })
}

describe('17 and 3: the keys of a set', () => {
  it.each<[string, unknown, RegExp]>([
    ['symmetric', { kty: 'oct', k: 'c2VjcmV0', kid: 'x' }, /symmetric/],
    ['private', generated('rsa', 'privateKey'), /private/],
    ['private, elliptic', generated('ec', 'privateKey'), /private/],
    ['for encryption', { ...good, use: 'enc' }, /not for signatures/],
    ['for wrapping', { ...good, key_ops: ['wrapKey'] }, /not for verifying/],
    ['of 1024 bits', rsaKey('weak', 1024).jwk, /less than 2048 bits/],
    ['of 1024 bits after zeros', padded(rsaKey('weak', 1024).jwk), /less than 2048 bits|cannot|can be read/],
    ['with e = 1', { ...good, e: 'AQ' }, /exponent|can be read/],
    ['with e = 3', { ...good, e: 'Aw' }, /exponent/],
    ['with an even e', { ...good, e: 'AQAC' }, /exponent|can be read/],
    ['of a kind that only agrees', generated('x25519'), /type or curve is not used/],
    ['without a modulus', { kty: 'RSA', e: 'AQAB' }, /can be read/],
    ['off its curve', { ...generated('ec'), x: 'AAAA' }, /can be read/],
    ['with a kid that is no string', { ...good, kid: 7 }, /kid/],
    ['not an object', 'key', /not an object/],
    ['null', null, /not an object/],
  ])('that are %s are ignored, and the others used', (_name, key, reason) => {
    const keys = vetKeys({ keys: [key, good] })
    expect(keys?.size).toBe(1)
    expect(keys?.ignored).toEqual([{ kid: kidOf(key), reason: expect.stringMatching(reason) }])
  })

  it.each(['rsa', 'ec', 'ed25519'] as const)('that are %s are used', (kind) => {
    expect(vetKeys({ keys: [generated(kind)] })).toMatchObject({ size: 1, ignored: [] })
  })

  it('are at most a hundred', () => {
    const keys = vetKeys({ keys: Array.from({ length: 10_000 }, (_, index) => ({ ...good, kid: String(index) })) })
    expect([keys?.size, keys?.ignored.length]).toEqual([100, 1])
  })

  it.each([[[]], [null], ['keys'], [{}], [{ keys: {} }]])('are not what is in %j', (content) => {
    expect(vetKeys(content)).toBeUndefined()
  })

  it('of two sets are the same when what is used of them is', () => {
    const plain = vetKeys({ keys: [good] })?.identity
    expect(
      vetKeys({
        keys: [
          { ...good, x5c: ['MIIB'] },
          { kty: 'oct', k: 'x' },
        ],
        more: 1,
      })?.identity,
    ).toBe(plain)
    expect(vetKeys({ keys: [{ ...good, kid: 'other' }] })?.identity).not.toBe(plain)
  })
})

/** Zeros in front make a short modulus look long to whoever counts its characters. */
function padded(jwk: Record<string, unknown>): Record<string, unknown> {
  return {
    ...jwk,
    n: Buffer.concat([Buffer.alloc(128), Buffer.from(String(jwk['n']), 'base64url')]).toString('base64url'),
  }
}

function kidOf(key: unknown): unknown {
  const kid = (key as { kid?: unknown } | null)?.kid
  return typeof kid === 'string' ? kid : undefined
}
