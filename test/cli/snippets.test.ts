import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import amf from 'amf-client-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { mergedText, readDocument } from '../../src/cli/snippets/merge-document.js'
import { writeAppConfig } from './app-config.js'
import { answerOf, clientele, type Surroundings } from './clientele-process.js'

const directory = mkdtempSync(join(tmpdir(), 'clientele-snippets-'))
let at: Surroundings

beforeAll(() => {
  at = { environment: { CLIENTELE_CONFIG: writeAppConfig({ directory, issuer: 'http://login.example.com' }) } }
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

async function problemsOf(document: object): Promise<unknown> {
  const result = await new Validator().validate(structuredClone(document) as Record<string, unknown>)
  return result.valid ? [] : result.errors
}

const given = `
openapi: 3.1.0
info: { title: Orders, version: 1.0.0 }
# Everything about orders.
paths:
  /orders/{orderId}:
    get:
      operationId: readOrder
      parameters:
        - { name: orderId, in: path, required: true, schema: { type: string } }
      responses:
        "200":
          description: An order. # as JSON
          headers:
            ETag: { schema: { type: string } }
`

function written(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

describe('openapi', () => {
  it('prints a document that a validator takes', { timeout: 60_000 }, async () => {
    const document = await answerOf(at, 'openapi', '--api', 'orders')
    expect(await problemsOf(document)).toEqual([])
    const { get } = document.paths['/orders/{id}']
    expect(get.security).toEqual([
      { 'client_id-header': [], 'client_secret-header': [] },
      { basic: [] },
      { 'client_id-query': [], 'client_secret-query': [] },
    ])
    expect(Object.keys(get.responses).sort()).toEqual(['2XX', '400', '401', '403', '429', '503'])
    expect(document.paths['/orders'].post.security[0]).toEqual({ 'token-login.example.com': ['orders:write'] })
    expect(document.paths['/orders/{id}'].put.security).toContainEqual({ dpop: ['orders:admin'] })
    expect(document.components.securitySchemes['token-login.example.com']).toMatchObject({
      type: 'openIdConnect',
      openIdConnectUrl: 'http://login.example.com/.well-known/openid-configuration',
    })
    const yaml = await clientele(at, 'openapi', '--api', 'orders')
    expect(parse(yaml.stdout)).toEqual(document)
  })

  it(
    'merges into a document, keeps what is there, and changes nothing when run again',
    { timeout: 60_000 },
    async () => {
      const merged = await clientele(at, 'openapi', '--merge', written('given.yaml', given))
      expect(merged.stdout).toContain('# Everything about orders.')
      expect(merged.stdout).toContain('# as JSON')
      const document = parse(merged.stdout)
      expect(await problemsOf(document)).toEqual([])
      const { get } = document.paths['/orders/{orderId}']
      expect(get.operationId).toBe('readOrder')
      expect(Object.keys(get.responses['200'].headers)).toEqual(['ETag', 'RateLimit-Policy', 'RateLimit'])
      expect(get.responses['2XX']).toBeUndefined()
      const again = await clientele(at, 'openapi', '--merge', written('merged.yaml', merged.stdout))
      expect(again.stdout).toBe(merged.stdout)
      const json = await clientele(at, 'openapi', '--merge', written('given.json', JSON.stringify(parse(given))))
      expect(JSON.parse(json.stdout)).toEqual(document)
    },
  )

  it('names what is there already and differs, and merges nothing', { timeout: 60_000 }, async () => {
    const own = `${given}        "401": { description: Ours }\n`
    const { code, stdout, stderr } = await clientele(at, 'openapi', '--merge', written('own.yaml', own))
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('paths./orders/{orderId}.get.responses.401.description: there is something else already')
    const old = await clientele(at, 'openapi', '--merge', written('old.yaml', given.replace('3.1.0', '3.0.3')))
    expect(old.code).toBe(2)
  })

  const head = 'openapi: 3.1.0\ninfo: { title: t, version: "1" }\n'
  it.each([
    ['an alias in the way', `${head}x-p: &p {}\npaths: *p\n`, /: paths\..*: nothing can be added behind an alias/],
    ['an alias of nothing', `${head}paths: *p\n`, /:3: .*alias/i],
    [
      'aliases that unfold without end',
      `${head}a: &a [1,1,1,1]\n${'bcdef'.replace(
        /./g,
        (name) =>
          `${name}: &${name} [${Array(9)
            .fill(`*${String.fromCharCode(name.charCodeAt(0) - 1)}`)
            .join()}]\n`,
      )}`,
      /:1: its aliases unfold/,
    ],
  ])('says what cannot be merged into: %s', (_name, text, message) => {
    const path = written('wrong.yaml', text)
    const merge = (): string => mergedText(readDocument(path), { paths: { '/orders': { get: {} } } })
    expect(merge).toThrow(expect.objectContaining({ exit: 'wrongInput', message: expect.stringMatching(message) }))
  })

  it('prints nothing of the document that a terminal could take for an order, and changes no value', () => {
    const title = '\u009B31mX\u202E\nY\u{E0001}'
    const document = { openapi: '3.1.0', info: { title, version: '1' }, 'x-\u202E': 1, paths: {} }
    const plain = `# c\u202E\nopenapi: 3.1.0\r\ninfo: { title: T, version: "1" }\nx-a: |\n  a\u009Bb\n  c\n`
    for (const [name, text] of [
      ['raw.json', JSON.stringify(document)],
      ['raw.yaml', stringify(document)],
      ['plain.yaml', plain],
    ] as const) {
      const merged = mergedText(readDocument(written(name, text)), { 'x-new': true })
      expect(merged).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u)
      expect(parse(merged)).toEqual({ ...parse(text), 'x-new': true })
    }
  })
})

describe('raml', () => {
  it('prints traits that an API can use, judged by a parser of RAML', { timeout: 120_000 }, async () => {
    const { code, stdout } = await clientele(at, 'raml', '--api', 'orders')
    expect(code).toBe(0)
    writeFileSync(join(directory, 'clientele.raml'), stdout)
    const api = (trait: string): string =>
      `#%RAML 1.0\ntitle: Orders\nuses:\n  clientele: clientele.raml\n/orders:\n  get:\n    is: [clientele.${trait}]\n`
    expect(await ramlProblems(written('api.raml', api('orders')))).toEqual([])
    // A judge that finds nothing anywhere would be none.
    expect(await ramlProblems(written('bad.raml', api('elsewhere')))).not.toEqual([])
    const library = parse(stdout)
    expect(Object.keys(library.traits)).toEqual(['orders', 'orders-2', 'orders-3', 'orders-4'])
    expect(library.traits.orders.responses['429'].headers).toHaveProperty('RateLimit')
  })
})

async function ramlProblems(path: string): Promise<readonly string[]> {
  const client = amf.RAMLConfiguration.RAML10().baseUnitClient()
  const { baseUnit, results } = await client.parse(`file://${path}`)
  const transformed = client.transform(baseUnit)
  const report = await client.validate(transformed.baseUnit)
  return [...results, ...transformed.results, ...report.results].map(({ message }) => message)
}
