import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordKey } from '../../src/contracts/keys.js'

/** What loose backends do to a key before they compare it. */
const loosely = (key: string): string =>
  key
    .normalize('NFD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .trim()

const long = fc.integer({ min: 190, max: 210 }).map((length) => 'a'.repeat(length))
const part = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom(
      'a',
      'A',
      'á',
      'a\u0301',
      ' ',
      '/',
      '=',
      ':',
      '%',
      '\ud800',
      '\udfff',
      '\ufffd',
      '6',
      '1',
      'h',
    ),
  }),
  long,
)
const pair = fc.tuple(part, part)

const keyOf = ([client, api]: readonly [string, string]): string => recordKey('contract', { client, api })

describe('recordKey', () => {
  it('gives two keys for two records, also to a backend that ignores case, accents and padding', () => {
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        fc.pre(one[0] !== other[0] || one[1] !== other[1])
        expect(loosely(keyOf(one))).not.toBe(loosely(keyOf(other)))
      }),
      { numRuns: 3000 },
    )
  })

  it('uses few characters and stays short', () => {
    fc.assert(
      fc.property(pair, (one) => {
        expect(keyOf(one)).toMatch(/^[a-z0-9=./-]{10,410}$/)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['case', 'acme', 'ACME'],
    ['accent', 'acme', 'acmé'],
    ['padding', 'acme', 'acme '],
    ['Unicode form', 'acm\u00e9', 'acme\u0301'],
    ['the last of many characters', `${'x'.repeat(254)}a`, `${'x'.repeat(254)}b`],
    ['case beyond the length of a part', 'x'.repeat(255), 'X'.repeat(255)],
    ['which lone surrogate', '\ud800', '\ud801'],
    ['an escape written out', 'é', '=c3=a9'],
    ['a digest written out', 'x'.repeat(255), recordKey('client', { id: 'x'.repeat(255) }).slice('client/'.length)],
  ])('keeps apart what differs in %s', (_, one, other) => {
    expect(recordKey('client', { id: one })).not.toBe(recordKey('client', { id: other }))
  })

  it('leaves plain parts as they are', () => {
    expect(recordKey('identity', { issuer: 'local', clientId: 'a1.b-c' })).toBe('identity/local/a1.b-c')
  })
})
