import { z } from 'zod'
import { parseInput } from '../contracts/check-record.js'
import { isContractStore } from '../contracts/is-store.js'
import { clientMetadata } from '../contracts/registration-schema.js'
import type { ClientMetadata, Registration } from '../contracts/registration.js'
import { actor, freeText, id } from '../contracts/schema-words.js'
import type { ContractStore } from '../contracts/store.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import { createSealing } from '../runtime/sealing.js'
import type { Adopted } from './adopt.js'
import { rotate, update, type Rotated, type Rotating, type Updating } from './change.js'
import type { ClientProvider } from './client-provider.js'
import { isClientProvider } from './is-client-provider.js'
import { register, type Registered } from './register.js'
import type { Registry } from './registry.js'
import { remove, type Removing } from './remove.js'
import { repair, unfinished, type Repairing } from './repair.js'
import { takeOver, type Importing } from './take-over.js'

export interface ClientRegistrationsOptions {
  readonly store: ContractStore
  readonly provider: ClientProvider
  /**
   * What the issuer's registration tokens are sealed with in the store: 32 bytes as base64url or hex, several separated
   * by commas, the present one first. By custom the environment's `CLIENTELE_SEALING_KEY`. @default none, where the provider gives no tokens
   */
  readonly sealingKeys?: string | readonly string[] | undefined
  /** How many registrations may be under way or broken off. @default 10 */
  readonly mostUnderWay?: number
  /** How many registrations one owner may have. @default 100 */
  readonly mostPerOwner?: number
  /** How old one that broke off must be before it is repaired; more than an attempt can take. @default 120 */
  readonly underWaySeconds?: number
}

export interface RegisterAtProviderInput {
  readonly actor: string
  readonly owner?: string
  readonly metadata: ClientMetadata
}

/** Clients at one issuer. Each step is two commits, with what the issuer does in between. */
export interface ClientRegistrations {
  register(input: RegisterAtProviderInput): Promise<Registered>
  update(input: Updating): Promise<Registered>
  rotate(input: Rotating): Promise<Rotated>
  remove(input: Removing): Promise<void>
  importClient(input: Importing): Promise<Adopted>
  unfinished(): Promise<readonly Registration[]>
  repair(input: Repairing): Promise<Registration | undefined>
}

const where = 'clientRegistrations()'

const schema = z.strictObject({
  store: z.custom<ContractStore>(isContractStore, 'expected a ContractStore'),
  provider: z.custom<ClientProvider>(isClientProvider, 'expected a ClientProvider'),
  sealingKeys: z.union([z.string(), z.array(z.string()).readonly()]).optional(),
  mostUnderWay: z.int().min(1).max(1000).optional(),
  mostPerOwner: z.int().min(1).optional(),
  underWaySeconds: z.number().min(0).max(86_400).optional(),
})

const which = { actor, client: id, clientId: id.optional() }
const inputs = {
  register: z.strictObject({ actor, owner: freeText.optional(), metadata: clientMetadata }),
  update: z.strictObject({ ...which, changes: clientMetadata.partial() }),
  rotate: z.strictObject({
    ...which,
    keepOld: z.boolean().optional(),
    overlapSeconds: z.number().min(0).max(31_622_400).optional(),
  }),
  remove: z.strictObject({ ...which, atIssuer: z.enum(['delete', 'leave']).optional() }),
  importClient: z.strictObject({
    actor,
    clientId: id,
    name: freeText.optional(),
    owner: freeText.optional(),
    type: z.enum(['confidential', 'public']).optional(),
    management: z.strictObject({ uri: z.url().optional(), token: z.string().min(1).max(16_384).optional() }).optional(),
  }),
  repair: z.strictObject({
    actor,
    registration: id,
    outcome: z.enum(['discard', 'adopt']).optional(),
    clientId: id.optional(),
    gone: z.boolean().optional(),
  }),
}

/**
 * For clients whose IDs an identity provider gives out: registers them there and makes them known here, so that they can
 * have contracts. Nothing that breaks off is lost: it stands in `unfinished()` until it is repaired.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`; its functions `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_STATE`, `_CONFLICT`,
 * `_PROVIDER` where the issuer refuses, `_ISSUER` where it does not answer, and `_STORE`
 */
export function clientRegistrations(options: ClientRegistrationsOptions): ClientRegistrations {
  const registry = registryOf(checkOptions(where, schema, options))
  return {
    register: async (input) => register(registry, parseInput('register()', inputs.register, input)),
    update: async (input) => update(registry, parseInput('update()', inputs.update, input)),
    rotate: async (input) => rotate(registry, parseInput('rotate()', inputs.rotate, input)),
    remove: async (input) => remove(registry, parseInput('remove()', inputs.remove, input)),
    importClient: async (input) => takeOver(registry, parseInput('importClient()', inputs.importClient, input)),
    unfinished: async () => unfinished(registry),
    repair: async (input) => repair(registry, parseInput('repair()', inputs.repair, input)),
  }
}

function registryOf(options: ClientRegistrationsOptions): Registry {
  const { store, provider, sealingKeys, mostUnderWay = 10, mostPerOwner = 100, underWaySeconds = 120 } = options
  if (provider.givesTokens && sealingKeys === undefined) {
    throw optionsFault(
      where,
      'sealingKeys: expected a key, since this provider gives tokens that are kept; by custom in CLIENTELE_SEALING_KEY',
    )
  }
  const sealing = sealingKeys === undefined ? undefined : createSealing(sealingKeys)
  return { store, provider, sealing, mostUnderWay, mostPerOwner, underWaySeconds }
}
