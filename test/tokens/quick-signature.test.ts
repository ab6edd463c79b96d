import { createSecretKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { compactVerify, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { isQuicklySigned } from '../../src/tokens/jwt/quick-signature.js'
import { vetKeys } from '../../src/tokens/keys/vet-keys.js'
import { rsaKey } from '../support/signed-jwt.js'

const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'EdDSA',
  'HS256',
  'HS384',
  'HS512',
] as const
const rsa = [2048, 3072, 4096].map((modulusLength) => generateKeyPairSync('rsa', { modulusLength }))
const curves = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const edwards25519 = [1, 2].map(() => generateKeyPairSync('ed25519'))
const secrets = [1, 2].map(() => createSecretKey(randomBytes(64)))

/** Pairs of the kind of key that an algorithm takes. */
function pairsFor(algorithm: string): { privateKey: KeyObject; publicKey: KeyObject }[] {
  if (algorithm.startsWith('HS')) return secrets.map((key) => ({ privateKey: key, publicKey: key }))
  if (algorithm === 'EdDSA') return edwards25519
  return algorithm === 'ES256' ? curves : rsa
}

interface Signed {
  readonly algorithm: string
  readonly token: string
  readonly key: KeyObject
}

const signed: Signed[] = []

beforeAll(async () => {
  for (const algorithm of algorithms) {
    for (const { privateKey, publicKey } of pairsFor(algorithm)) {
      const token = await new SignJWT({ client_id: 'acme' }).setProtectedHeader({ alg: algorithm }).sign(privateKey)
      signed.push({ algorithm, token, key: publicKey })
    }
  }
})

/** What jose says of the same token under the same key, when it is told to believe nothing but this algorithm. */
async function joseAgrees(token: string, algorithm: string, key: KeyObject): Promise<boolean> {
  return compactVerify(token, key, { algorithms: [algorithm] }).then(
    () => true,
    () => false,
  )
}

const kindOf = (key: KeyObject): string => key.asymmetricKeyType ?? key.type

describe('a signature that is checked on the spot', () => {
  it('is good where jose calls it good, for each algorithm and key', async () => {
    for (const { token, algorithm, key } of signed) {
      expect(isQuicklySigned(token, algorithm, key), algorithm).toBe(true)
      expect(await joseAgrees(token, algorithm, key), algorithm).toBe(true)
    }
  })

  it('is bad under another key and under another algorithm', () => {
    for (const one of signed) {
      for (const other of signed.filter(({ key }) => kindOf(key) === kindOf(one.key))) {
        const same = one.key === other.key && one.algorithm === other.algorithm
        expect(isQuicklySigned(one.token, other.algorithm, other.key)).toBe(same)
      }
    }
  })

  it('is judged as jose judges it when something in the token is changed', async () => {
    const change = fc.record({
      index: fc.nat(signed.length - 1),
      at: fc.nat(10_000),
      character: fc.constantFrom('A', 'z', '0', '-', '_'),
      cut: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(change, async ({ index, at, character, cut }) => {
        const { token, algorithm, key } = signed[index]!
        const start = token.indexOf('.') + 1
        const place = start + (at % (token.length - start))
        const kept = token[place] === '.' ? '.' : character
        const changed = (token.slice(0, place) + kept + token.slice(place + 1)).slice(0, token.length - cut)
        expect(isQuicklySigned(changed, algorithm, key)).toBe(await joseAgrees(changed, algorithm, key))
      }),
      { numRuns: 1000 },
    )
  })

  it('is bad when it is empty, too long, or a forgery made of nothing', () => {
    for (const { token, algorithm, key } of signed) {
      const end = token.lastIndexOf('.')
      const [input, signature] = [token.slice(0, end), Buffer.from(token.slice(end + 1), 'base64url')]
      const forged = [
        Buffer.alloc(0),
        Buffer.alloc(1),
        ...[32, 48, 63, 64, 65, 256, 512].flatMap((length) => [Buffer.alloc(length), Buffer.alloc(length, 255)]),
        Buffer.concat([signature, Buffer.alloc(1)]),
        Buffer.concat([Buffer.alloc(1), signature]),
        signature.subarray(1),
      ]
      for (const each of forged) {
        expect(isQuicklySigned(`${input}.${each.toString('base64url')}`, algorithm, key), algorithm).toBe(false)
      }
    }
  })

  it('is judged as jose judges it when characters stand behind it', async () => {
    for (const { token, algorithm, key } of signed) {
      for (const more of ['A', '_', 'AA', 'AAA', 'AAAA']) {
        const longer = token + more
        expect(isQuicklySigned(longer, algorithm, key), `${algorithm} ${more}`).toBe(
          await joseAgrees(longer, algorithm, key),
        )
      }
    }
  })

  it('ES256 is two numbers side by side, and DER is refused as jose refuses it', async () => {
    const { token, key } = signed.find(({ algorithm }) => algorithm === 'ES256')!
    const input = token.slice(0, token.lastIndexOf('.'))
    const der = sign('sha256', Buffer.from(input), curves[0]!.privateKey).toString('base64url')
    expect(isQuicklySigned(`${input}.${der}`, 'ES256', key)).toBe(false)
    expect(await joseAgrees(`${input}.${der}`, 'ES256', key)).toBe(false)
  })

  it('EdDSA and Ed25519 are two names of one thing', async () => {
    const { token, key } = signed.find(({ algorithm }) => algorithm === 'EdDSA')!
    expect(isQuicklySigned(token, 'Ed25519', key)).toBe(true)
    const [, other] = edwards25519
    expect(isQuicklySigned(token, 'Ed25519', other!.publicKey)).toBe(false)
    const renamed = await new SignJWT({}).setProtectedHeader({ alg: 'Ed25519' }).sign(other!.privateKey)
    expect(isQuicklySigned(renamed, 'Ed25519', other!.publicKey)).toBe(true)
    expect(await joseAgrees(renamed, 'Ed25519', other!.publicKey)).toBe(true)
  })

  it('is not for algorithms that take longer than the way to another thread, nor for what is none', () => {
    const { token, key } = signed[0]!
    for (const name of ['ES384', 'ES512', 'none', 'RS1', 'constructor', '__proto__']) {
      expect(isQuicklySigned(token, name, key)).toBe(false)
    }
  })
})

describe('the keys that a token can mean', () => {
  const one = rsaKey('one').jwk
  const { alg: _, ...anyAlgorithm } = rsaKey('any').jwk
  const curve = { ...curves[0]!.publicKey.export({ format: 'jwk' }), kid: 'ec' }
  const large = rsaKey('large', 4104).jwk
  const nameless = { ...rsaKey('x').jwk, kid: undefined }
  const edwards = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'ed' }
  const keys = vetKeys({
    keys: [one, anyAlgorithm, curve, large, rsaKey('twin').jwk, rsaKey('twin').jwk, nameless, edwards],
  })!

  it.each<[string, string | undefined, string, (string | undefined)[]]>([
    ['by its name and algorithm', 'one', 'RS256', ['one']],
    ['by its name alone, where it is for all algorithms', 'any', 'PS512', ['any']],
    ['not for an algorithm that it is not for', 'one', 'PS256', []],
    ['all that could be meant, without a name', undefined, 'RS256', ['one', 'any', 'large', 'twin', 'twin', undefined]],
    ['two, where they share a name', 'twin', 'RS256', ['twin', 'twin']],
    ['not by a name that nobody has', 'other', 'RS256', []],
    ['not of another kind', 'ec', 'RS256', []],
    ['by its curve', 'ec', 'ES256', ['ec']],
    ['not of another curve', 'ec', 'ES384', []],
    ['by either name of its algorithm', 'ed', 'EdDSA', ['ed']],
    ['by either name of its algorithm', 'ed', 'Ed25519', ['ed']],
    ['never as a secret', 'one', 'HS256', []],
    ['never for nothing', 'any', 'none', []],
  ])('are found %s', (_title, kid, algorithm, found) => {
    expect(keys.candidates(kid, algorithm).map((key) => key.kid)).toEqual(found)
  })

  it('are quick to use up to a size', () => {
    const quick = (kid: string, algorithm: string): boolean | undefined => keys.candidates(kid, algorithm)[0]?.quick
    expect([quick('one', 'RS256'), quick('ec', 'ES256')]).toEqual([true, true])
    expect([quick('ed', 'EdDSA'), quick('ed', 'Ed25519')]).toEqual([true, true])
    expect(quick('large', 'RS256')).toBe(false)
  })
})
