import { z } from 'zod'
import type { DefineTierInput } from '../../contracts/lifecycle/tiers.js'
import { wrongInput } from '../exit-codes.js'
import { checkedRows, type ReadRows } from './import-row.js'

const limit = z.object({ maximumRequests: z.number(), timePeriodInMilliseconds: z.number() })
const tier = z.object({
  name: z.string(),
  description: z.string().nullish(),
  limits: z.array(limit).nullish(),
  autoApprove: z.boolean().nullish(),
})
const application = z.object({
  name: z.string(),
  clientId: z.string().nullish(),
  coreServicesId: z.string().nullish(),
})
const contract = z.object({
  status: z.enum(['APPROVED', 'PENDING', 'REJECTED', 'REVOKED']),
  application,
  tier: tier.nullish(),
  requestedTier: tier.nullish(),
})
/** What is not named here is passed over: the platform gives much more. Tools of others hand on the bare list. */
const listing = z.union([
  z.object({ contracts: z.array(contract), total: z.number().optional() }),
  z.array(contract).transform((contracts) => ({ contracts, total: contracts.length })),
])

const states = { APPROVED: 'approved', PENDING: 'pending', REJECTED: 'rejected', REVOKED: 'revoked' } as const

export interface MuleSoftListing extends ReadRows {
  /** The tiers that the contracts name, where the listing says what they are. */
  readonly tiers: readonly Omit<DefineTierInput, 'actor'>[]
}

/** The contracts of one API, as the API manager lists them. It tells no secrets, so the clients come without. */
export function muleSoftRows(text: string, api: string): MuleSoftListing {
  const result = listing.safeParse(parsed(text))
  if (!result.success) {
    const [issue] = result.error.issues
    throw wrongInput(`${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const { contracts, total = contracts.length } = result.data
  if (total > contracts.length) {
    const [there, all] = [String(contracts.length), String(total)]
    throw wrongInput(`the file holds ${there} of ${all} contracts: ask for the other pages, by limit and offset, too`)
  }
  const rows = contracts.map((one, at) => ({ at: `contracts.${String(at)}`, client: clientOf(one, api) }))
  const tiers = new Map(contracts.flatMap((one) => [one.tier, one.requestedTier]).flatMap((one) => named(one, api)))
  return { ...checkedRows(rows), tiers: [...tiers.values()] }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw wrongInput('the file is no JSON')
  }
}

function clientOf(
  { application: app, tier: given, requestedTier, status }: z.infer<typeof contract>,
  api: string,
): object {
  const tierName = (given ?? requestedTier)?.name
  return {
    clientId: app.clientId ?? app.coreServicesId ?? '',
    name: app.name,
    contracts: [{ api, state: states[status], ...(tierName === undefined ? {} : { tier: tierName }) }],
  }
}

function named(
  given: z.infer<typeof tier> | null | undefined,
  api: string,
): [string, Omit<DefineTierInput, 'actor'>][] {
  if (!given?.limits || given.limits.length === 0) return []
  const limits = given.limits.map(({ maximumRequests, timePeriodInMilliseconds }) => ({
    requests: maximumRequests,
    windowSeconds: timePeriodInMilliseconds / 1000,
  }))
  const approval = given.autoApprove === true ? 'automatic' : 'manual'
  const description = given.description ? { description: given.description } : {}
  return [[given.name, { api, name: given.name, approval, limits, ...description }]]
}
