import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spikeSubjects, subjectOf } from '../../src/limits/subject.js'

// Half of it drawn from what separates and escapes, so that a careless join would collide.
const part = fc.oneof(
  fc.string({ unit: fc.constantFrom(':', '%', '0', '2', '5', '3', 'a', 'u') }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('unauthenticated', ':unauthenticated', '\ud800', '\ud801', 'é', 'e\u0301'),
)

describe('spikeSubjects', () => {
  const by = fc.constantFrom('address' as const, 'client' as const, 'unauthenticated' as const, 'route' as const)
  const control = fc.tuple(part, part, by)

  it('never makes one subject of two, nor of a client of a contract', () => {
    fc.assert(
      fc.property(control, part, control, part, fc.tuple(part, part, fc.boolean()), (a, one, b, other, client) => {
        const subject = spikeSubjects(...a)(one)
        expect(subject === spikeSubjects(...b)(other)).toBe(JSON.stringify([a, one]) === JSON.stringify([b, other]))
        expect(subject).not.toBe(subjectOf(...client))
      }),
      { numRuns: 5000 },
    )
  })
})

describe('subjectOf', () => {
  // Attack line 31.
  it('makes two subjects of (a, bc) and (ab, c)', () => {
    expect(subjectOf('a', 'bc')).not.toBe(subjectOf('ab', 'c'))
    expect(subjectOf('a', 'b:c')).not.toBe(subjectOf('a:b', 'c'))
  })

  it('makes no client of an API out of a stranger at another', () => {
    expect(subjectOf('a:b', 'unauthenticated')).not.toBe(subjectOf('a', 'b', false))
  })

  it('never makes one subject of two', () => {
    const whom = fc.tuple(part, part, fc.boolean())
    fc.assert(
      fc.property(whom, whom, (a, b) => {
        expect(subjectOf(...a) === subjectOf(...b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
      { numRuns: 5000 },
    )
  })
})
