import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ClaimTerms } from '../../src/tokens/claim-terms.js'
import { Introspector, type IntrospectorConfig } from '../../src/tokens/introspection/introspector.js'

const config: IntrospectorConfig = {
  issuer: 'https://issuer.example',
  clientIdClaim: undefined,
  maxAgeSeconds: 60,
  minAgeSeconds: 60,
  inactiveMaxAgeSeconds: 10,
  staleAnswerSeconds: 0,
  concurrent: 100,
  inactivePerSecond: 1000,
  remember: { entries: 1000, bytes: 1 << 20 },
}

const terms: ClaimTerms = {
  audience: null,
  clockToleranceSeconds: 0,
  maxTokenAgeSeconds: undefined,
  requiredClaims: [],
  rules: [],
}

describe('Introspector', () => {
  it('asks about no more than a hundred tokens at a time, and sends the others away for now', async () => {
    let asking = 0
    let most = 0
    const introspector = new Introspector(config, async () => {
      most = Math.max(most, ++asking)
      await sleep(20)
      asking -= 1
      return { members: { active: false }, maxAgeSeconds: undefined }
    })
    const verify = async (token: string): Promise<unknown> => introspector.verify(token, terms)
    const outcomes = await Promise.allSettled(Array.from({ length: 300 }, (_, index) => verify(`token ${index}`)))
    const sentAway = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect([most, sentAway.length]).toEqual([100, 200])
    for (const { reason } of sentAway) expect(reason).toMatchObject({ code: 'ERR_CLIENTELE_ISSUER', status: 503 })
    // The same token takes no place of its own, and there is room again.
    expect(await verify('token 0')).toEqual({ reason: 'inactive' })
    expect(await verify('another')).toEqual({ reason: 'inactive' })
  })
})
