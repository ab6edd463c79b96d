import { createRequire } from 'node:module'
import { parse as querystringParse } from 'node:querystring'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formTextAt, withoutFormField } from '../../src/http/form-fields.js'

const id = ['client_id']
const nested = ['auth', 'clientId']

describe('formTextAt', () => {
  it.each<[string, string, readonly string[], readonly string[] | undefined]>([
    ['a field', 'a=1&client_id=x', id, ['x']],
    ['plus and percent', 'client_id=a+b%20c%C3%A4%26%3D%25', id, ['a b cä&=%']],
    ['equals signs in a value', 'client_id=a==', id, ['a==']],
    ['an escaped name', '%63lient%5fid=x', id, ['x']],
    ['a name that is not ASCII', 'gr%c3%b6%C3%9Fe=x', ['größe'], ['x']],
    ['the same, not escaped', 'größe=x', ['größe'], ['x']],
    ['a field without a value', 'client_id', id, ['']],
    ['behind a byte order mark', '\ufeffclient_id=x', id, ['x']],
    ['a path', 'auth[clientId]=x&auth[other]=y', nested, ['x']],
    ['an escaped path', 'auth%5BclientId%5D=x', nested, ['x']],
    ['a name with a dot', 'a.b=x', ['a.b'], ['x']],
    ['nothing', '', id, []],
    ['empty pairs', '&&a=1&', id, []],
    ['longer names', 'client_ids=x&xclient_id=y&client_id_=z', id, []],
    ['names that cannot be decoded', 'client_id%zz=x&%=y&client_id%ff=z', id, []],
    ['a percent sign that is one', 'gr%25C3%25B6=x', ['grö'], []],
    ['the name as a value', 'a=client_id', id, []],
    ['two', 'client_id=x&client_id=x', id, undefined],
    ['two, one escaped', 'client_id=x&client%5Fid=x', id, undefined],
    ['a list', 'client_id[]=x', id, undefined],
    ['an escaped list', 'client_id%5b%5D=x', id, undefined],
    ['an index', 'client_id[0]=x', id, undefined],
    ['an operator', 'client_id[$ne]=', id, undefined],
    ['an operator that cannot be decoded', 'client_id[%zz]=', id, undefined],
    ['members by a dot', 'client_id.a=x', id, undefined],
    ['brackets around', '[client_id]=x', id, undefined],
    ['a list beside a field', 'client_id=x&client_id[]=y', id, undefined],
    ['another spelling of a path', 'auth.clientId=x', nested, undefined],
    ['text on the way', 'auth=x', nested, undefined],
    ['a value that cannot be decoded', 'client_id=%zz', id, undefined],
    ['a value that is not UTF-8', 'client_id=%E4', id, undefined],
    ['a value in which some end the name', 'client_id=x]=y', id, undefined],
    ['the same, escaped', 'client_id=x%5D=y', id, undefined],
  ])('%s', (_name, text, path, expected) => {
    expect(formTextAt(text, path)).toEqual(expected)
  })
})

it('takes out a field and nothing else', () => {
  expect(withoutFormField('client_id=x', id)).toBe('')
  expect(withoutFormField('client_id=x&a=1', id)).toBe('a=1')
  expect(withoutFormField('a=%zz&&client%5Fid=x&b=+%20&', id)).toBe('a=%zz&&b=+%20&')
  expect(withoutFormField('\ufeffa=1&client_id=x', id)).toBe('\ufeffa=1')
  expect(withoutFormField('auth[clientId]=x&auth[a]=1', nested)).toBe('auth[a]=1')
})

const name = fc
  .array(
    fc.constantFrom(
      'client_id',
      'auth',
      'clientId',
      '[',
      ']',
      '.',
      '%5B',
      '%5d',
      '%zz',
      '%63lient_id',
      '%ff',
      '+',
      ' ',
      '=',
      'x',
    ),
    {
      minLength: 0,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(''))
const value = fc.array(fc.constantFrom('a', '=', ']', '%5D', '[', '%zz', '%E4', '%c3%a4', '+', 'ä', '%00', ';'), {
  maxLength: 4,
})
const text = fc
  .array(fc.tuple(name, value), { maxLength: 5 })
  .map((pairs) => pairs.map(([key, parts]) => `${key}=${parts.join('')}`).join('&'))

type QsParse = (text: string, options: Record<string, unknown>) => unknown

/** The one that a framework brings along. */
function qsOf(framework: string): { parse: QsParse } {
  const require = createRequire(import.meta.url)
  return createRequire(require.resolve(framework))('qs') as { parse: QsParse }
}

const [qs, qs4] = [qsOf('express'), qsOf('express4')]

/** What Express 4 and 5 and Koa parse with, beside what a handler of one's own would take. */
const parsers: readonly ((text: string) => unknown)[] = [
  (form) => qs.parse(form, { allowPrototypes: true, depth: 32 }),
  (form) => qs.parse(form, { allowPrototypes: true, depth: 0 }),
  (form) => qs.parse(form, { allowDots: true }),
  (form) => qs4.parse(form, { allowPrototypes: true, depth: 32 }),
  (form) => querystringParse(form),
  (form) => Object.fromEntries(new URLSearchParams(`&${form}`)),
]

it('never reads another ID than a parser does: they agree, or it is refused', () => {
  const seen = { text: 0, none: 0, refused: 0 }
  fc.assert(
    fc.property(text, (form) => {
      const found = formTextAt(form, id)
      seen[found === undefined ? 'refused' : found.length === 0 ? 'none' : 'text'] += 1
      if (found === undefined) return
      for (const parse of parsers) {
        const parsed = parse(form) as Record<string, unknown>
        expect(Object.hasOwn(parsed, 'client_id') ? [parsed.client_id] : []).toEqual(found)
      }
      const rest = parsers.map((parse) => parse(withoutFormField(form, id)))
      expect(rest).toEqual(parsers.map((parse) => parse(form)).map(withoutId))
    }),
    { numRuns: 5000 },
  )
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100)
})

function withoutId(parsed: unknown): unknown {
  const { client_id: _id, ...rest } = parsed as Record<string, unknown>
  return rest
}

it('takes no longer for what cannot be decoded', () => {
  const times = ['a&', '%zz&', '%ff&', 'client%&'].map((pair) => {
    const long = pair.repeat(65_536 / pair.length)
    const start = performance.now()
    expect(formTextAt(long, id)).toEqual([])
    return performance.now() - start
  })
  expect(Math.max(...times)).toBeLessThan(500)
})
