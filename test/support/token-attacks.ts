import { randomBytes } from 'node:crypto'
import type { RefusalCode } from '../../src/decisions/refusals.js'
import { base64url, nowSeconds, rsaKey, signText, signWithSecret, type SigningKey } from './signed-jwt.js'

/** One issuer, one API, one client, and somebody who wants in. */
export interface AttackedIssuer {
  readonly issuer: string
  readonly audience: string
  /** Registered, with an approved contract. */
  readonly clientId: string
  readonly key: SigningKey
  /** Nobody may ever be sent to it; the test counts. */
  readonly trap: string
}

/** What is sent, and what must come of it. `code` undefined: it is harmless, and let in. */
export interface TokenAttack {
  /** The line of the list of attacks that it stands for. */
  readonly line: number
  readonly name: string
  readonly code: RefusalCode | undefined
  /** Each occurrence of `Authorization`. */
  readonly authorization: (target: AttackedIssuer) => readonly string[]
}

export function attackedIssuer(issuer: string, trap: string): AttackedIssuer {
  return { issuer, audience: 'orders', clientId: 'orders-client', key: rsaKey('signing-key'), trap }
}

/** A good token, but for what is changed. A member that is undefined is left out. */
export function accessToken(
  target: AttackedIssuer,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
  key: SigningKey = target.key,
): string {
  return signText(JSON.stringify(headerOf(target, header)), JSON.stringify(claimsOf(target, claims)), key)
}

function headerOf(target: AttackedIssuer, header: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { alg: 'RS256', typ: 'at+jwt', kid: target.key.kid, ...header }
}

function claimsOf(target: AttackedIssuer, claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { issuer: iss, audience: aud, clientId } = target
  return { iss, aud, sub: clientId, client_id: clientId, iat: nowSeconds(), exp: nowSeconds() + 300, ...claims }
}

const foreignKey = rsaKey('foreign-key')

type Row = readonly [name: string, token: (target: AttackedIssuer) => string, code?: RefusalCode]

function rows(line: number, list: readonly Row[]): TokenAttack[] {
  return list.map(([name, token, code]) => ({
    line,
    name,
    code: code ?? 'token_invalid',
    authorization: (target) => [`Bearer ${token(target)}`],
  }))
}

function harmless(attacks: readonly TokenAttack[]): TokenAttack[] {
  return attacks.map((attack) => ({ ...attack, code: undefined }))
}

const pemOf = ({ key }: AttackedIssuer): string => key.publicKey.export({ type: 'spki', format: 'pem' }) as string

const secretsFromPublicKeys: Readonly<Record<string, (target: AttackedIssuer) => string | Uint8Array>> = {
  PEM: pemOf,
  'PEM, trimmed': (target) => pemOf(target).trim(),
  'PEM after a space': (target) => ` ${pemOf(target)}`,
  'PEM after a byte order mark': (target) => `\uFEFF${pemOf(target)}`,
  'PEM after a comment': (target) => `# key\n${pemOf(target)}`,
  'PEM after a control character': (target) => `\u0001${pemOf(target)}`,
  'PEM after a zero-width space': (target) => `\u200B${pemOf(target)}`,
  'PKCS #1 PEM': ({ key }) => key.publicKey.export({ type: 'pkcs1', format: 'pem' }),
  DER: ({ key }) => key.publicKey.export({ type: 'spki', format: 'der' }),
  JWK: ({ key }) => JSON.stringify(key.jwk),
  'key set': ({ key }) => JSON.stringify({ keys: [key.jwk] }),
  'empty key': () => '',
}

const noneSpellings = ['none', 'None', 'NONE', 'nOnE', 'none ', '', 'null']
const strangeText = ['\r\nx: y', '\0', '"', '\\', '😀', '\u202E', 'ü']

const signatures: readonly TokenAttack[] = [
  ...rows(
    1,
    Object.entries(secretsFromPublicKeys).map(([name, secret]): Row => [
      `HS256 with the public key as secret: ${name}`,
      (target) => signWithSecret(headerOf(target, { alg: 'HS256' }), claimsOf(target, {}), secret(target)),
    ]),
  ),
  ...rows(
    2,
    noneSpellings.flatMap((alg): Row[] => [
      [`alg "${alg}" with a signature`, (target) => accessToken(target, {}, { alg })],
      [`alg "${alg}" and an empty signature`, (target) => unsigned(accessToken(target, {}, { alg }))],
    ]),
  ),
  ...rows(2, [
    ['no alg', (target) => accessToken(target, {}, { alg: undefined })],
    ['alg null', (target) => accessToken(target, {}, { alg: null })],
    ['alg as a list', (target) => accessToken(target, {}, { alg: ['RS256'] })],
    ['RS256 and an empty signature', (target) => unsigned(accessToken(target))],
    ['RS256 and no signature part', (target) => unsigned(accessToken(target)).slice(0, -1)],
    ['a signature of zeros', (target) => `${unsigned(accessToken(target))}${base64url(Buffer.alloc(256))}`],
  ]),
  ...rows(3, [
    ['the key of somebody else under our kid', (target) => accessToken(target, {}, {}, foreignKey)],
    ['an algorithm of another key type', (target) => accessToken(target, {}, { alg: 'ES256' })],
    ['an algorithm that is not allowed', (target) => accessToken(target, {}, { alg: 'RS1' })],
    ['another hash than was signed', (target) => accessToken(target, {}, { alg: 'RS512' })],
  ]),
]

function unsigned(token: string): string {
  return token.slice(0, token.lastIndexOf('.') + 1)
}

const headers: readonly TokenAttack[] = [
  ...rows(4, [
    ['the key in the header', (target) => accessToken(target, {}, { jwk: foreignKey.jwk }, foreignKey)],
    [
      'the key in the header, no kid',
      (target) => accessToken(target, {}, { jwk: foreignKey.jwk, kid: undefined }, foreignKey),
    ],
    ['a key set to be fetched', (target) => accessToken(target, {}, { jku: target.trap }, foreignKey)],
    ['a certificate to be fetched', (target) => accessToken(target, {}, { x5u: target.trap }, foreignKey)],
    ['a certificate in the header', (target) => accessToken(target, {}, { x5c: ['MIIB'] }, foreignKey)],
    ['a kid that is a path', (target) => accessToken(target, {}, { kid: '../../../../dev/null' }, foreignKey)],
    ['a kid that is SQL', (target) => accessToken(target, {}, { kid: "x' UNION SELECT 'key" }, foreignKey)],
    ['a kid that is a command', (target) => accessToken(target, {}, { kid: '$(reboot)|id' }, foreignKey)],
    ['a kid that is no string', (target) => accessToken(target, {}, { kid: { $ne: null } })],
  ]),
  ...harmless(
    rows(4, [
      [
        'jku and x5u beside a good signature',
        ({ trap, ...target }) => accessToken({ trap, ...target }, {}, { jku: trap, x5u: trap }),
      ],
    ]),
  ),
  ...rows(5, [
    ['crit unknown', (target) => accessToken(target, {}, { crit: ['exp-strict'], 'exp-strict': true })],
    ['crit empty', (target) => accessToken(target, {}, { crit: [] })],
    ['crit twice the same', (target) => accessToken(target, {}, { crit: ['b64', 'b64'], b64: true })],
    ['crit null', (target) => accessToken(target, {}, { crit: null })],
    ['b64 false', (target) => accessToken(target, {}, { crit: ['b64'], b64: false })],
    ['b64 true', (target) => accessToken(target, {}, { b64: true })],
  ]),
  ...rows(
    12,
    strangeText.flatMap((text): Row[] => [
      [`${JSON.stringify(text)} in alg`, (target) => accessToken(target, {}, { alg: `RS256${text}` })],
      [`${JSON.stringify(text)} in kid`, (target) => accessToken(target, {}, { kid: text }, foreignKey)],
      [`${JSON.stringify(text)} in typ`, (target) => accessToken(target, {}, { typ: `at+jwt${text}` })],
      [`${JSON.stringify(text)} in iss`, (target) => accessToken(target, { iss: `${target.issuer}${text}` })],
      [
        `${JSON.stringify(text)} in scope, badly signed`,
        (target) => accessToken(target, { scope: text }, {}, foreignKey),
      ],
    ]),
  ),
  ...rows(
    43,
    [
      'dpop+jwt',
      'logout+jwt',
      'secevent+jwt',
      'oauth-authz-req+jwt',
      'token-introspection+jwt',
      'application/logout+jwt',
      'id+jwt',
      'JOSE',
      'at+jwt; x',
      '',
      null,
      1,
      ['at+jwt'],
    ].map((typ): Row => [`typ ${JSON.stringify(typ)}`, (target) => accessToken(target, {}, { typ })]),
  ),
]

const claims: readonly TokenAttack[] = [
  ...rows(
    9,
    ['[]', '"x"', '1', 'null', 'true', '', '{', '{"iss":}', `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`].map(
      (payload): Row => [
        `claims ${payload.slice(0, 12)}`,
        (target) => signText(JSON.stringify(headerOf(target, {})), payload, target.key),
      ],
    ),
  ),
  ...rows(
    9,
    (
      [
        { exp: 0 },
        { exp: '9999999999' },
        { exp: null },
        { exp: undefined },
        { exp: nowSeconds() - 3600 },
        { nbf: nowSeconds() + 3600 },
        { nbf: '0' },
        { iat: 'now' },
        { iss: undefined },
        { iss: ['https://issuer.example'] },
        { iss: 'https://other.example' },
        { aud: undefined },
        { aud: {} },
        { aud: { orders: true } },
        { aud: [] },
        { aud: ['ordersx', 'rders'] },
        { aud: ['orders', 1] },
        { aud: 'Orders' },
      ] as Record<string, unknown>[]
    ).map((change): Row => [`claim ${describe(change)}`, (target) => accessToken(target, change)]),
  ),
  ...rows(9, [['exp 1e400', (target) => replaced(target, /"exp":\d+/, '"exp":1e400')]]),
  ...rows(13, [
    ['a claim twice', (target) => replaced(target, '{', '{"client_id":"other",')],
    ['a claim twice, once escaped', (target) => replaced(target, '{', '{"client_\\u0069d":"other",')],
    ['a nested member twice', (target) => replaced(target, '{', '{"x":{"a":1,"a":2},')],
    [
      'a header member twice',
      (target) =>
        signText('{"alg":"none","alg":"RS256","typ":"at+jwt"}', JSON.stringify(claimsOf(target, {})), target.key),
    ],
  ]),
  ...harmless(
    rows(13, [
      [
        '__proto__ and constructor',
        (target) => replaced(target, '{', '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},'),
      ],
      ['colons and escaped quotes in text', (target) => accessToken(target, { note: 'a":"b\\", {c:[' })],
    ]),
  ),
  ...rows(40, [
    ['client_id as a list', (target) => accessToken(target, { client_id: [target.clientId] })],
    ['client_id empty beside azp', (target) => accessToken(target, { client_id: '', azp: target.clientId })],
    ['client_id a number beside azp', (target) => accessToken(target, { client_id: 1, azp: target.clientId })],
    ['client_id an object beside azp', (target) => accessToken(target, { client_id: {}, azp: target.clientId })],
    ['client_id null beside azp', (target) => accessToken(target, { client_id: null, azp: target.clientId })],
    ['client_id and azp that differ', (target) => accessToken(target, { azp: 'somebody-else' })],
    ['only a sub of the client', (target) => accessToken(target, { client_id: undefined }), 'client_unnamed'],
    ['a client that nobody registered', (target) => accessToken(target, { client_id: 'nobody' }), 'client_unnamed'],
  ]),
  ...rows(43, [
    ['an ID token by nonce', (target) => accessToken(target, { nonce: 'n' }, { typ: 'JWT' })],
    ['an ID token by at_hash, no typ', (target) => accessToken(target, { at_hash: 'h' }, { typ: undefined })],
    ['an ID token by c_hash', (target) => accessToken(target, { c_hash: 'h' }, { typ: 'JWT' })],
    ['an ID token by token_use', (target) => accessToken(target, { token_use: 'id' }, { typ: 'JWT' })],
    ['a refresh token by typ', (target) => accessToken(target, { typ: 'Refresh' }, { typ: 'JWT' })],
    ['a security event', (target) => accessToken(target, { events: {} }, { typ: 'JWT' })],
    [
      'an introspection answer',
      (target) => accessToken(target, { token_introspection: { active: true } }, { typ: 'JWT' }),
    ],
    [
      'a private_key_jwt assertion of the client',
      (target) =>
        accessToken(target, { iss: target.clientId, aud: target.issuer, jti: 'j' }, { typ: 'JWT' }, foreignKey),
    ],
    ['a token bound to a key', (target) => accessToken(target, { cnf: { jkt: 'thumbprint' } })],
    ['a token bound to a key that it names', (target) => accessToken(target, { cnf: { kid: 'theirs' } })],
    ['a token bound to a certificate', (target) => accessToken(target, { cnf: { 'x5t#S256': 'hash' } })],
  ]),
]

function describe(change: Record<string, unknown>): string {
  return Object.entries(change)
    .map(([name, value]) => `${name} ${value === undefined ? 'absent' : JSON.stringify(value)}`)
    .join()
}

/** A good token whose claims were changed as text, and then signed. */
function replaced(target: AttackedIssuer, what: string | RegExp, by: string): string {
  const text = JSON.stringify(claimsOf(target, {})).replace(what, by)
  return signText(JSON.stringify(headerOf(target, {})), text, target.key)
}

function field(name: string, code: RefusalCode, authorization: TokenAttack['authorization']): TokenAttack {
  return { line: 10, name, code, authorization }
}

const fields: readonly TokenAttack[] = [
  field('Basic with a JWT', 'token_missing', (target) => [`Basic ${accessToken(target)}`]),
  field('two spaces', 'credentials_malformed', (target) => [`Bearer  ${accessToken(target)}`]),
  field('a tab', 'credentials_malformed', (target) => [`Bearer\t${accessToken(target)}`]),
  field('something behind the token', 'credentials_malformed', (target) => [`Bearer ${accessToken(target)} x`]),
  field('two tokens joined', 'credentials_malformed', (target) => [`Bearer ${accessToken(target)}, Bearer x`]),
  field('a space inside the signature', 'credentials_malformed', (target) => [
    `Bearer ${accessToken(target).replace(/(.{8})$/, ' $1')}`,
  ]),
  field('= inside the signature', 'credentials_malformed', (target) => [
    `Bearer ${accessToken(target).replace(/(.{8})$/, '=$1')}`,
  ]),
  field('= behind the signature', 'token_invalid', (target) => [`Bearer ${accessToken(target)}=`]),
  field('+ and / in the signature', 'token_invalid', (target) => [`Bearer ${accessToken(target).slice(0, -2)}+/`]),
  field('no token', 'credentials_malformed', () => ['Bearer']),
  field('not ASCII', 'credentials_malformed', () => ['Bearer tökén']),
  field('two fields, both good', 'credentials_ambiguous', (target) => [
    `Bearer ${accessToken(target)}`,
    `Bearer ${accessToken(target)}`,
  ]),
  field('two fields, one of them Basic', 'credentials_ambiguous', (target) => [
    `Basic eDp5`,
    `Bearer ${accessToken(target)}`,
  ]),
  { ...field('a lower-case scheme', 'token_invalid', (target) => [`bearer ${accessToken(target)}`]), code: undefined },
  { ...field('a token past the cap', 'credentials_malformed', () => [`Bearer ${'a'.repeat(20_000)}`]), line: 11 },
  ...rows(11, [
    [
      'a JWE',
      () =>
        [
          base64url('{"alg":"dir","enc":"A256GCM"}'),
          '',
          ...[12, 40, 16].map((length) => base64url(randomBytes(length))),
        ].join('.'),
    ],
    [
      'a JWE whose key wrap is costly',
      () => `${base64url('{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647}')}.e.e.e.e`,
    ],
    ['an opaque token', () => randomBytes(32).toString('base64url')],
  ]),
]

/** Each of them is sent to `validateJwt({ issuer, audience, jwks | jwksUri })`. */
export const tokenAttacks: readonly TokenAttack[] = [...signatures, ...headers, ...claims, ...fields]
