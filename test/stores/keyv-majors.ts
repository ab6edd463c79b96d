import { Keyv } from 'keyv'
import { describe } from 'vitest'
import type { KeyvLike } from '../../src/stores/keyv.js'
import { describeFromNode } from '../support/needs.js'

/** What is used of the class `Keyv`, of either major. */
export type KeyvClass = new (options: {
  store: object
  namespace?: string
  throwOnErrors?: boolean
  ttl?: number
}) => KeyvLike

type Tests = (Keyv: KeyvClass, major: 5 | 6) => void | Promise<void>

/** The same tests on Keyv 5, and on Keyv 6 where Node is new enough for it. */
export function describeEachMajor(name: string, tests: Tests): void {
  describe(`${name}, Keyv 5`, () => tests(Keyv, 5))
  describeFromNode('22.19')(`${name}, Keyv 6`, async () => {
    const newer = await import('keyv6')
    await tests(newer.Keyv, 6)
  })
}
