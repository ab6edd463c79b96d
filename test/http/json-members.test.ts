import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJson, jsonTextAt, withoutJsonMember } from '../../src/http/json-members.js'

const secret = ['client_secret']
const nested = ['auth', 'secret']

describe('jsonTextAt', () => {
  it.each<[string, string, readonly string[], readonly string[] | undefined]>([
    ['a member', '{"a":1,"client_secret":"s"}', secret, ['s']],
    ['a member with space around', ' \t\r\n{ "client_secret" \n:\t "s" } ', secret, ['s']],
    ['a member behind a byte order mark', '\ufeff{"client_secret":"s"}', secret, ['s']],
    ['an escaped name', '{"client\\u005fsecret":"s"}', secret, ['s']],
    ['an escaped value', '{"client_secret":"\\u00e4\\n\\"\\\\"}', secret, ['ä\n"\\']],
    ['a path', '{"auth":{"x":{},"secret":"s"}}', nested, ['s']],
    ['a name with a dot', '{"a.b":"s"}', ['a.b'], ['s']],
    ['the empty name', '{"":"s"}', [''], ['s']],
    ['__proto__ as a member', '{"__proto__":{"secret":"s"}}', ['__proto__', 'secret'], ['s']],
    ['nothing', '{}', secret, []],
    ['a list', '[{"client_secret":"s"}]', secret, []],
    ['a bare value', '"client_secret"', secret, []],
    ['the name as a value', '{"a":"client_secret","b":["client_secret","s"]}', secret, []],
    ['the name further inside', '{"a":{"client_secret":"s"}}', secret, []],
    ['what is inherited', '{}', ['constructor', 'name'], []],
    ['a number', '{"client_secret":1}', secret, undefined],
    ['null', '{"client_secret":null}', secret, undefined],
    ['a list of texts', '{"client_secret":["s"]}', secret, undefined],
    ['an operator', '{"client_secret":{"$ne":null}}', secret, undefined],
    ['two of a name', '{"client_secret":"s","client_secret":"s"}', secret, undefined],
    ['two of a name, one escaped', '{"client_secret":"s","client_secre\\u0074":"s"}', secret, undefined],
    ['two on the way', '{"auth":{"secret":"s"},"auth":{}}', nested, undefined],
    ['text on the way', '{"auth":"s"}', nested, undefined],
    ['a list on the way', '{"auth":[{"secret":"s"}]}', nested, undefined],
  ])('%s', (_name, text, path, expected) => {
    expect(isJson(text)).toBe(true)
    expect(jsonTextAt(text, path)).toEqual(expected)
  })
})

describe('withoutJsonMember', () => {
  it.each<[string, string, readonly string[], string]>([
    ['the only one', '{"client_secret":"s"}', secret, '{}'],
    ['the first', '{"client_secret":"s","a":1}', secret, '{"a":1}'],
    ['one in the middle', '{"a":1,"client_secret":"s","b":2}', secret, '{"a":1,"b":2}'],
    ['the last', '{"a":1,"client_secret":"s"}', secret, '{"a":1}'],
    ['with its space left', '{ "a": 1 , "client_secret": "s" , "b": 2 }', secret, '{ "a": 1 ,  "b": 2 }'],
    ['the last with its space left', '{\n  "a": 1,\n  "client_secret": "s"\n}', secret, '{\n  "a": 1\n}'],
    ['the only one with its space left', '{ "client_secret" : "s" }', secret, '{  }'],
    ['by an escaped name', '{"client\\u005fsecret":"s"}', secret, '{}'],
    ['with braces and quotes in it', '{"client_secret":"}\\"],","a":1}', secret, '{"a":1}'],
    ['inside of another', '{"auth":{"secret":"s"},"secret":"t"}', nested, '{"auth":{},"secret":"t"}'],
    ['all there are', '{"client_secret":1 , "client_secret":2,"client_secret":3}', secret, '{ }'],
    ['the last ones', '{"a":1,"client_secret":1,"client_secret":2}', secret, '{"a":1}'],
    ['those on two ways', '{"auth":{"secret":1},"auth":{"a":1,"secret":2}}', nested, '{"auth":{},"auth":{"a":1}}'],
    ['each of several', '{"client_secret":1,"a":2,"client_secret":{"x":[1,2]}}', secret, '{"a":2}'],
    [
      'and nothing else',
      '\ufeff{"n":12345678901234567890,"e":1e400,"z":-0.0,"d":1,"d":2,"client_secret":"s","":"\\ud800"} ',
      secret,
      '\ufeff{"n":12345678901234567890,"e":1e400,"z":-0.0,"d":1,"d":2,"":"\\ud800"} ',
    ],
  ])('takes out %s', (_name, text, path, expected) => {
    expect(withoutJsonMember(text, path)).toBe(expected)
  })

  it.each(['{}', '[]', '"client_secret"', '{"a":"client_secret"}', '{"a":{"client_secret":"s"}}'])(
    'leaves %s alone',
    (text) => {
      expect(withoutJsonMember(text, secret)).toBe(text)
    },
  )
})

it('goes through nesting of any depth', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const deep = `{"x":${open.repeat(200_000)}1${close.repeat(200_000)},"client_secret":"s"}`
    expect(jsonTextAt(deep, secret)).toEqual(['s'])
    expect(withoutJsonMember(deep, secret)).not.toContain('client_secret')
    expect(isJson(open.repeat(200_000))).toBe(false)
  }
})

it('takes out any number in a time that grows with their number, not with its square', () => {
  const timeOf = (count: number): number => {
    const text = `{${Array.from({ length: count }, () => '"client_secret":0').join(',')}}`
    const start = performance.now()
    expect(withoutJsonMember(text, secret)).toBe('{}')
    return performance.now() - start
  }
  const least = (count: number): number => Math.min(...[1, 2, 3].map(() => timeOf(count)))
  least(1000)
  // Sixteen times as many cost sixteen times as much, or 256 times.
  expect(least(32_000) / least(2000)).toBeLessThan(64)
})

/** JSON as somebody could write it, beside what it means. */
type Node =
  | { readonly kind: 'leaf'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Node[]; readonly space: string }
  | { readonly kind: 'object'; readonly members: readonly Written[]; readonly space: string }
interface Written {
  readonly name: string
  readonly written: string
  readonly value: Node
}

const names = [
  'client_secret',
  'auth',
  'secret',
  'a',
  '',
  '__proto__',
  'constructor',
  'client.secret',
  '\ud800',
  'ä"\\',
]
const space = fc.constantFrom('', ' ', '\n  ', '\t', '\r\n')
const written = fc
  .tuple(fc.constantFrom(...names), fc.array(fc.boolean(), { maxLength: 20 }))
  .map(([name, escaped]) => ({
    name,
    written: `"${[...Array(name.length).keys()].map((at) => (escaped[at] ? unicode(name, at) : plain(name, at))).join('')}"`,
  }))

function unicode(name: string, at: number): string {
  return `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`
}

function plain(name: string, at: number): string {
  const quoted = JSON.stringify(name.charAt(at)).slice(1, -1)
  return quoted
}

const leaf = fc
  .oneof(
    fc.constantFrom(
      '1e400',
      '12345678901234567890',
      '-0',
      '-0.0',
      '1E-7',
      'true',
      'null',
      '""',
      '"\\ud800"',
      '"}],:{["',
    ),
    fc.json({ maxDepth: 0 }),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  )
  .map((text): Node => ({ kind: 'leaf', text }))

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({ kind: fc.constant('list' as const), items: fc.array(tie('node'), { maxLength: 4 }), space }),
    fc.record({
      kind: fc.constant('object' as const),
      members: fc.array(
        fc.tuple(written, tie('node')).map(([name, value]) => ({ ...name, value })),
        { maxLength: 6 },
      ),
      space,
    }),
  ),
}))

function render(node: Node): string {
  if (node.kind === 'leaf') return node.text
  const { space: s } = node
  if (node.kind === 'list') return `[${s}${node.items.map(render).join(`${s},${s}`)}${s}]`
  return `{${s}${node.members.map((each) => `${each.written}${s}:${s}${render(each.value)}`).join(`${s},${s}`)}${s}}`
}

function valuesAt(node: Node, [name, ...rest]: readonly string[]): Node[] {
  if (name === undefined) return [node]
  if (node.kind !== 'object') return []
  return node.members.filter((each) => each.name === name).flatMap(({ value }) => valuesAt(value, rest))
}

function pruned(node: Node, [name, ...rest]: readonly string[]): Node {
  if (node.kind !== 'object') return node
  const kept = rest.length === 0 ? node.members.filter((each) => each.name !== name) : node.members
  const members = kept.map((each) => (each.name === name ? { ...each, value: pruned(each.value, rest) } : each))
  return { ...node, members }
}

/** Every token as it is spelt. */
function tokensOf(text: string): readonly string[] {
  return text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g) ?? []
}

const paths = fc.constantFrom(['client_secret'], ['auth', 'secret'], ['__proto__'], [''], ['\ud800'], ['a', 'a', 'a'])

it('agrees with a model of JSON, however that is written', () => {
  fc.assert(
    fc.property(node, paths, (tree, path) => {
      const text = render(tree)
      expect(isJson(text)).toBe(true)
      const values = valuesAt(tree, path)
      const found = jsonTextAt(text, path)
      if (found === undefined) {
        // Only where it is not plain: something else at the place, several, or something else on the way.
        const [value] = values
        const isText = value?.kind === 'leaf' && value.text.startsWith('"')
        const ways = path.slice(1).map((_, index) => valuesAt(tree, path.slice(0, index + 1)))
        const plainWay = ways.every((way) => way.length < 2 && way.every(({ kind }) => kind === 'object'))
        expect(plainWay && (values.length === 0 || (values.length === 1 && isText))).toBe(false)
      } else {
        expect(found).toEqual(values.map((value) => JSON.parse(render(value)) as string))
      }
      const rest = withoutJsonMember(text, path)
      expect(tokensOf(rest)).toEqual(tokensOf(render(pruned(tree, path))))
      expect(jsonTextAt(rest, path)?.length ?? 0).toBe(0)
      if (values.length === 0) expect(rest).toBe(text)
      if (values.length === 1) expect(isOneCut(text, rest)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

/** Whether taking one stretch out of a text gives the other. */
function isOneCut(text: string, rest: string): boolean {
  let start = 0
  while (start < rest.length && text[start] === rest[start]) start += 1
  return text.endsWith(rest.slice(start)) || text.slice(0, rest.length) === rest
}
