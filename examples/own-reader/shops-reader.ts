import { localIssuer, type Client, type Contract, type ContractReader, type Tier } from 'clientele'
import type { Pool } from 'pg'

/** A row as the application has always had it. Its secrets are hashed with the scrypt of Node. */
interface Shop {
  readonly id: number
  readonly name: string
  readonly login: string
  readonly salt: Buffer
  readonly hash: Buffer
  readonly plan: 'basic' | 'pro'
  readonly blocked: boolean
  readonly changed: Date
}

export const api = 'greetings'

/** The shops as clients of one API, each with an approved contract on the tier of its plan. */
export function shopsReader(pool: Pool): ContractReader {
  async function shopBy(column: 'id' | 'login', value: string): Promise<Shop | undefined> {
    const { rows } = await pool.query<Shop>(`select * from shops where ${column} = $1`, [value])
    return rows[0]
  }
  return {
    async findClient({ issuer, clientId }) {
      // IDs that other issuers give out are not in this table, even where they read the same.
      const shop = issuer === localIssuer ? await shopBy('login', clientId) : undefined
      return shop && clientOf(shop)
    },
    async findContract(client, forApi) {
      const shop = forApi === api ? await shopBy('id', client) : undefined
      return shop && contractOf(shop)
    },
    findTier: (forApi, name) => tiers.find((tier) => tier.api === forApi && tier.name === name),
  }
}

function clientOf(shop: Shop): Client {
  const salt = shop.salt.toString('base64url')
  const hash = shop.hash.toString('base64url')
  const cost = { cost: 16_384, blockSize: 8, parallelization: 1 } // the defaults of crypto.scrypt
  return {
    ...timesOf(shop),
    id: String(shop.id),
    name: shop.name,
    type: 'confidential',
    state: shop.blocked ? 'disabled' : 'active',
    identities: [{ issuer: localIssuer, clientId: shop.login }],
    secrets: [{ id: 'only', algorithm: 'scrypt', salt, hash, ...cost, createdAt: shop.changed.toISOString() }],
  }
}

function contractOf(shop: Shop): Contract {
  return { ...timesOf(shop), client: String(shop.id), api, state: 'approved', tier: shop.plan, barred: false }
}

function timesOf({ changed }: Shop) {
  const at = changed.toISOString()
  return { version: changed.getTime(), createdAt: at, updatedAt: at, updatedBy: 'shops' }
}

/** The same objects each time: what was checked once is not checked again. */
const tiers = [tierOf('basic', 3), tierOf('pro', 1000)]

function tierOf(name: Shop['plan'], requests: number): Tier {
  const limits = [{ requests, windowSeconds: 60, algorithm: 'fixed' as const }]
  const times = { version: 1, updatedAt: '2026-01-31T12:00:00Z', updatedBy: 'code' }
  return { ...times, api, name, approval: 'manual', state: 'active', limits }
}
