import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseJsonObject } from '../../src/tokens/json-object.js'

it('reads every object that JSON can write, as JSON reads it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 8 })), fc.nat(2), (object, space) => {
      const text = JSON.stringify(object, null, space)
      expect(parseJsonObject(text)).toEqual(JSON.parse(text))
    }),
  )
})

it('refuses every object in which a member stands twice, at any depth', () => {
  const member = fc.tuple(fc.string(), fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }))
  fc.assert(
    fc.property(member, fc.nat(5), ([name, first, second], depth) => {
      const [key, a, b] = [JSON.stringify(name), JSON.stringify(first), JSON.stringify(second)]
      const twice = `{${key}:${a},"\\u0000other":[],${key}:${b}}`
      const text = Array.from({ length: depth }).reduce<string>((inner) => `{"x":[${inner}]}`, twice)
      expect(parseJsonObject(text)).toBeUndefined()
    }),
  )
})

it.each([
  '',
  '[]',
  '1',
  'null',
  '"{}"',
  '{',
  '{"a":1,}',
  '{"a"::1}',
  '{"a":"\\"}',
  `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`,
])('is no object: %s', (text) => {
  expect(parseJsonObject(text)).toBeUndefined()
})
