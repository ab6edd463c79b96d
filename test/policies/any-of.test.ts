import { describe, expect, it } from 'vitest'
import { ClienteleFault } from '../../src/decisions/faults.js'
import type { HttpRequest } from '../../src/decisions/http-request.js'
import { andThen } from '../../src/decisions/maybe-promise.js'
import type { IdentifyingPolicy, Recognised, Recognition, Verdict } from '../../src/decisions/policy.js'
import { anyOf } from '../../src/policies/any-of.js'

const request = {} as HttpRequest
const admission = { api: 'orders', authenticated: true }

interface Branch {
  readonly name?: string
  readonly place?: 'client' | 'bearer'
  readonly shapes?: readonly string[]
  readonly sees?: Recognition | Promise<Recognition>
  readonly says?: Verdict | Error
}

function branch({
  name = 'branch',
  place = 'client',
  shapes = ['client'],
  sees = 'absent',
  says,
}: Branch): IdentifyingPolicy {
  const bearer = place === 'bearer'
  const decide = (): Verdict => {
    if (says instanceof Error) throw says
    return says ?? { kind: 'admitted', admission }
  }
  return {
    name,
    place,
    shapes,
    absent: {
      kind: 'absent',
      code: bearer ? 'token_missing' : 'credentials_missing',
      challenges: [{ scheme: bearer ? 'Bearer' : 'Client-ID', parameters: {} }],
    },
    recognise: () => andThen(sees, (recognition): Recognised => ({ recognition, decide })),
    decide: () => {
      throw new Error('what was found is not to be looked for again')
    },
  }
}

const refused: Verdict = { kind: 'refused', refusal: { code: 'token_invalid' } }

describe('anyOf', () => {
  it('lets the one branch decide that recognises the request', () => {
    const policy = anyOf([branch({ sees: 'own' }), branch({ place: 'bearer', shapes: ['jwt'], says: refused })])
    expect(policy.decide(request, undefined)).toEqual({ kind: 'admitted', admission })
  })

  it('is absent, with every challenge, when nobody recognises anything', () => {
    const policy = anyOf([branch({}), branch({ place: 'bearer', shapes: ['jwt'] })])
    expect(policy.decide(request, undefined)).toMatchObject({
      kind: 'absent',
      code: 'credentials_missing',
      challenges: [{ scheme: 'Client-ID' }, { scheme: 'Bearer' }],
    })
  })

  it.each<[string, Recognition, Recognition]>([
    ['two that are sure', 'own', 'own'],
    ['one that is sure and a place that is used', 'own', 'place'],
    ['two places that are used', 'place', 'place'],
  ])('refuses %s as ambiguous', (_name, first, second) => {
    const policy = anyOf([branch({ sees: first }), branch({ place: 'bearer', shapes: ['jwt'], sees: second })])
    expect(policy.decide(request, undefined)).toEqual({ kind: 'refused', refusal: { code: 'credentials_ambiguous' } })
  })

  it('gives the word to a branch that could not look into its place, whoever else is sure', () => {
    const tooLarge: Verdict = { kind: 'refused', refusal: { code: 'body_too_large' } }
    const policy = anyOf([
      branch({ place: 'bearer', shapes: ['jwt'], sees: 'own' }),
      branch({ sees: 'unread', says: tooLarge }),
    ])
    expect(policy.decide(request, undefined)).toEqual(tooLarge)
  })

  it('never lets another branch rescue a refusal', () => {
    const policy = anyOf([branch({ place: 'bearer', shapes: ['jwt'], sees: 'own', says: refused }), branch({})])
    expect(policy.decide(request, undefined)).toEqual(refused)
  })

  it('never lets another branch rescue a fault', () => {
    const fault = new ClienteleFault('ERR_CLIENTELE_ISSUER', 'down')
    const policy = anyOf([branch({ place: 'bearer', shapes: ['jwt'], sees: 'own', says: fault }), branch({})])
    expect(() => policy.decide(request, undefined)).toThrow(fault)
  })

  it('asks the branch of the used place when no branch knows the shape', () => {
    const jwt = branch({ place: 'bearer', shapes: ['jwt:a'], sees: 'place', says: refused })
    expect(anyOf([branch({}), jwt]).decide(request, undefined)).toEqual(refused)
  })

  it('tells two issuers apart at one place', () => {
    const a = branch({ place: 'bearer', shapes: ['jwt:a'], sees: 'place', says: refused })
    const b = branch({ place: 'bearer', shapes: ['jwt:b'], sees: 'own' })
    expect(anyOf([a, b]).decide(request, undefined)).toMatchObject({ kind: 'admitted' })
  })

  it('waits only where a branch has to', async () => {
    const slow = branch({ place: 'bearer', shapes: ['jwt'], sees: Promise.resolve('own') })
    expect(await anyOf([branch({}), slow]).decide(request, undefined)).toMatchObject({ kind: 'admitted' })
  })

  it('looks into an anyOf that stands in another one', () => {
    const jwt = branch({ place: 'bearer', shapes: ['jwt:a'], sees: 'own' })
    const inner = anyOf([branch({}), jwt])
    const twin = expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }) as unknown
    expect(() => anyOf([inner, branch({ place: 'bearer', shapes: ['jwt:a'] })])).toThrow(twin)
    expect(anyOf([inner, branch({ place: 'bearer', shapes: ['opaque'] })]).decide(request, undefined)).toMatchObject({
      kind: 'admitted',
    })
  })

  it.each<[string, Branch[]]>([
    ['fewer than two branches', [{}]],
    ['two of one place and shape', [{}, {}]],
    [
      'two of one issuer',
      [
        { place: 'bearer', shapes: ['jwt:a'] },
        { place: 'bearer', shapes: ['jwt:a'] },
      ],
    ],
    [
      'one that takes every JWT beside one of an issuer',
      [
        { place: 'bearer', shapes: ['jwt', 'opaque'] },
        { place: 'bearer', shapes: ['jwt:a'] },
      ],
    ],
  ])('cannot be built of %s', (_name, branches) => {
    expect(() => anyOf(branches.map(branch))).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }))
  })
})
