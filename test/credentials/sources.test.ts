import { basicAuth, custom, headers, query } from 'clientele'
import { describe, expect, it } from 'vitest'
import { readCredentials } from '../../src/credentials/read-credentials.js'
import type { CredentialsSource } from '../../src/credentials/source.js'
import { requestOf } from '../support/request-of.js'

const read = (source: CredentialsSource, request: Parameters<typeof requestOf>[0]): unknown =>
  source.read(requestOf(request))
const basic = (text: string | Buffer): [string, string] => [
  'authorization',
  `Basic ${Buffer.from(text).toString('base64')}`,
]
const presented = (clientId: string, ...readings: string[]): unknown => ({ kind: 'presented', clientId, readings })

describe('headers()', () => {
  it.each<[string, [string, string][], unknown]>([
    ['nothing', [], { kind: 'absent' }],
    [
      'a pair',
      [
        ['client_id', 'a'],
        ['client_secret', 's'],
      ],
      presented('a', 's'),
    ],
    [
      'hyphens',
      [
        ['client-id', 'a'],
        ['client-secret', 's'],
      ],
      presented('a', 's'),
    ],
    ['an ID alone', [['client_id', 'a']], presented('a')],
    ['a secret alone', [['client_secret', 's']], { kind: 'malformed' }],
    [
      'an empty ID',
      [
        ['client_id', ''],
        ['client_secret', 's'],
      ],
      { kind: 'malformed' },
    ],
    [
      'an empty secret',
      [
        ['client_id', 'a'],
        ['client_secret', ''],
      ],
      { kind: 'malformed' },
    ],
    [
      'a repeated ID',
      [
        ['client_id', 'a'],
        ['client_id', 'a'],
        ['client_secret', 's'],
      ],
      { kind: 'malformed' },
    ],
    [
      'both spellings',
      [
        ['client_id', 'a'],
        ['client-id', 'a'],
        ['client_secret', 's'],
      ],
      { kind: 'malformed' },
    ],
    [
      'IDs joined by a proxy',
      [
        ['client_id', 'a, b'],
        ['client_secret', 's'],
      ],
      { kind: 'malformed' },
    ],
    [
      'a secret of UTF-8 bytes',
      [
        ['client_id', 'a'],
        ['client_secret', Buffer.from('pä').toString('latin1')],
      ],
      presented('a', 'pä'),
    ],
    [
      'a secret of latin1 bytes',
      [
        ['client_id', 'a'],
        ['client_secret', 'pä'],
      ],
      presented('a', 'pä'),
    ],
  ])('%s', (_name, fields, expected) => {
    expect(read(headers(), { headers: fields })).toEqual(expected)
  })

  it("takes names of one's own", () => {
    const source = headers({ id: 'X-Key', secret: 'X-Secret' })
    expect(
      read(source, {
        headers: [
          ['x-key', 'a'],
          ['X-SECRET', 's'],
          ['client_id', 'b'],
        ],
      }),
    ).toEqual(presented('a', 's'))
  })

  it('refuses one name for both', () => {
    expect(() => headers({ id: 'x-key', secret: 'X-Key' })).toThrow(/expected two different names/)
    expect(() => headers({ id: 'x_key', secret: 'x-key' })).toThrow(/expected two different names/)
    expect(() => query({ id: 'key', secret: 'key' })).toThrow(/expected two different names/)
  })

  it('refuses a name that is none, and options it does not know', () => {
    expect(() => headers({ id: 'a b' })).toThrow(/headers\(\): id: expected the name of a header field/)
    expect(() => headers({ secrets: 'x' } as object)).toThrow(/unknown option "secrets"; did you mean "secret"\?/)
  })
})

describe('query()', () => {
  it.each<[string, string, unknown]>([
    ['nothing', '/x', { kind: 'absent' }],
    ['a pair', '/x?client_id=a&client_secret=s%20t', presented('a', 's t')],
    ['a repeated ID', '/x?client_id=a&client_id=b&client_secret=s', { kind: 'malformed' }],
    ['an array', '/x?client_id[]=a&client_secret=s', { kind: 'malformed' }],
    ['an escaped array', '/x?client_id%5B%5D=a', { kind: 'malformed' }],
    ['an object', '/x?client_id[a]=a&client_secret=s', { kind: 'malformed' }],
    ['another name that begins alike', '/x?client_identity=a', { kind: 'absent' }],
    ['a non-ASCII secret', '/x?client_id=a&client_secret=p%C3%A4', presented('a', 'pä')],
  ])('%s', (_name, url, expected) => {
    expect(read(query(), { url })).toEqual(expected)
  })
})

describe('basicAuth()', () => {
  it.each<[string, [string, string][], unknown]>([
    ['nothing', [], { kind: 'absent' }],
    ['another scheme', [['authorization', 'Bearer x']], { kind: 'absent' }],
    ['a pair', [basic('a:s')], presented('a', 's')],
    ['a colon in the secret', [basic('a:s:t')], presented('a', 's:t')],
    ['a form-encoded secret, in both readings', [basic('a:p%40ss')], presented('a', 'p%40ss', 'p@ss')],
    ['a plus, in both readings', [basic('a:p+s')], presented('a', 'p+s', 'p s')],
    ['a percent that encodes nothing', [basic('a:100%')], presented('a', '100%')],
    ['a form-encoded ID', [basic('a%3Ab:s')], presented('a:b', 's')],
    ['a UTF-8 secret', [basic('a:pä')], presented('a', 'pä')],
    ['a latin1 secret', [basic(Buffer.from('a:pä', 'latin1'))], presented('a', 'pä')],
    ['an ID without a secret', [basic('a:')], presented('a')],
    ['no colon', [basic('a')], { kind: 'malformed' }],
    ['no ID', [basic(':s')], { kind: 'malformed' }],
    ['a NUL', [basic('a:s\0t')], { kind: 'malformed' }],
    ['base64url', [['authorization', 'Basic YTo_Pz8_']], { kind: 'malformed' }],
    ['two spaces', [['authorization', 'Basic  YTpz']], { kind: 'malformed' }],
    ['nothing after the scheme', [['authorization', 'Basic']], { kind: 'malformed' }],
    ['two of them', [basic('a:s'), basic('b:s')], { kind: 'malformed' }],
    ['one behind another scheme', [['authorization', 'Bearer x'], basic('b:s')], { kind: 'malformed' }],
  ])('%s', (_name, fields, expected) => {
    expect(read(basicAuth(), { headers: fields })).toEqual(expected)
  })
})

describe('custom()', () => {
  it.each<[string, unknown, unknown]>([
    ['nothing', undefined, { kind: 'absent' }],
    ['a pair', { clientId: 'a', clientSecret: 's' }, presented('a', 's')],
    ['an array for an ID', { clientId: ['a'] }, { kind: 'malformed' }],
    ['an object for a secret', { clientId: 'a', clientSecret: { $ne: null } }, { kind: 'malformed' }],
    ['a text', 'a:s', { kind: 'malformed' }],
  ])('%s', async (_name, found, expected) => {
    expect(
      read(
        custom(() => found as undefined),
        {},
      ),
    ).toEqual(expected)
    expect(
      await read(
        custom(() => Promise.resolve(found as undefined)),
        {},
      ),
    ).toEqual(expected)
  })
})

describe('several sources', () => {
  const sources = [headers(), query(), basicAuth()]
  const all = (request: Parameters<typeof requestOf>[0]): unknown => readCredentials(sources, requestOf(request))

  it('takes the one pair that stands in several places', () => {
    expect(all({ url: '/?client_id=a&client_secret=p%40', headers: [basic('a:p%2540')] })).toMatchObject({
      kind: 'ambiguous',
    })
    expect(all({ url: '/?client_id=a&client_secret=p%40', headers: [basic('a:p%40')] })).toMatchObject({
      readings: ['p@'],
    })
  })

  it.each<[string, Parameters<typeof requestOf>[0]]>([
    ['another ID', { url: '/?client_id=b&client_secret=s', headers: [basic('a:s')] }],
    ['another secret', { url: '/?client_id=a&client_secret=t', headers: [basic('a:s')] }],
    ['one of them without a secret', { url: '/?client_id=a', headers: [basic('a:s')] }],
  ])('refuses %s', (_name, request) => {
    expect(all(request)).toEqual({ kind: 'ambiguous' })
  })

  it('is spoiled by one unreadable place', () => {
    expect(all({ url: '/?client_id[]=a', headers: [basic('a:s')] })).toEqual({ kind: 'malformed' })
  })
})
