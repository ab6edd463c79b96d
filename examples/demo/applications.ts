import type { ContractState, FixedLimit } from 'clientele'

export const api = 'orders'

/** Who is named as having done what the demo does. */
export const actor = 'demo'

interface DemoTier {
  readonly name: string
  readonly approval: 'automatic' | 'manual'
  readonly limits: readonly FixedLimit[]
}

const atMost = (requests: number, windowSeconds: number): FixedLimit => ({
  requests,
  windowSeconds,
  algorithm: 'fixed',
})
const minute = 60
const hour = 60 * minute
const day = 24 * hour

export const tiers: readonly DemoTier[] = [
  { name: 'trial', approval: 'automatic', limits: [atMost(5, 10), atMost(2000, hour)] },
  { name: 'gold', approval: 'manual', limits: [atMost(100, 10), atMost(500, minute), atMost(50_000, day)] },
]

export interface Application {
  readonly name: string
  readonly tier: 'trial' | 'gold'
  readonly type?: 'confidential' | 'public'
  /** Where its contract ends up when the demo makes it. Afterwards it is left as people have it. */
  readonly contract: ContractState
  readonly disabled?: true
}

export const applications = {
  acme: { name: 'Acme Storefront', tier: 'gold', contract: 'approved' },
  bolt: { name: 'Bolt Couriers', tier: 'trial', contract: 'approved' },
  corner: { name: 'Corner Kiosk App', tier: 'trial', contract: 'approved', type: 'public' },
  delta: { name: 'Delta Analytics', tier: 'gold', contract: 'pending' },
  echo: { name: 'Echo Resale', tier: 'gold', contract: 'rejected' },
  fox: { name: 'Fox Logistics', tier: 'gold', contract: 'revoked' },
  gull: { name: 'Gull Insurance', tier: 'trial', contract: 'approved', disabled: true },
} as const satisfies Record<string, Application>
