import { describe, expect, it } from 'vitest'
import { simulate, terms, ways } from '../../bench/simulate/run.js'

const playing = { processes: 4, seed: 7, windows: 3 }

describe('the simulation of a contract on several processes', () => {
  it.each(ways)('%s: the same each time', async (way) => {
    expect(await simulate({ ...playing, way })).toEqual(await simulate({ ...playing, way }))
  })

  it.each(['exact', 'lease', 'lease, one killed a minute'] as const)('%s: never more than the limit', async (way) => {
    const { admitted } = await simulate({ ...playing, way })
    for (const part of admitted) expect(part).toBeLessThanOrEqual(1)
  })

  it('strands no more than a share with each process that is killed, and nothing without', async () => {
    const killed = await simulate({ ...playing, way: 'lease, one killed a minute' })
    for (const part of killed.admitted) expect(part).toBeGreaterThanOrEqual(1 - terms.share)
    expect(Math.min(...killed.admitted)).toBeLessThan(1)
    expect((await simulate({ ...playing, way: 'lease' })).admitted).toEqual([1, 1, 1])
  })
})
