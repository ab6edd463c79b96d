import * as crypto from 'node:crypto'
import { expect, it, vi } from 'vitest'
import { wirePolicies } from '../../src/clientele.js'
import { memoryStore } from '../../src/stores/memory.js'

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof crypto>()
  return { ...real, hash: vi.fn(real.hash) }
})

const tier = {
  ...{ api: 'orders', name: 'gold', version: 1 },
  limits: [{ algorithm: 'fixed' as const, requests: 10, windowSeconds: 60 }],
}

it.each([
  [true, 0, 1],
  [false, 0, 1],
  [0.5, 1, 2],
])('enforce: %s asks where a client stands %d times for its contract', async (enforce, digests, readings) => {
  const limit = wirePolicies({ api: 'orders', store: memoryStore() }).limitBySla({ enforce })
  let read = 0
  const contract = {
    ...{ api: 'orders', version: 1 },
    get client() {
      read += 1
      return 'client-1'
    },
  }
  vi.mocked(crypto.hash).mockClear()
  for (let request = 0; request < 3; request += 1) {
    // One that gave its ID alone is counted apart, and stands where its client does.
    await limit.decide(undefined as never, { api: 'orders', authenticated: false, contract, tier })
  }
  expect(vi.mocked(crypto.hash)).toHaveBeenCalledTimes(digests)
  expect(read).toBe(readings)
})
