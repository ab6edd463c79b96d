import { z } from 'zod'
import { limitInputs } from '../../contracts/limit-schemas.js'
import { apiName, freeText, id, longText, tierName } from '../../contracts/schema-words.js'
import { issuerProfiles, type IssuerProfileName } from '../../providers/oidc/profiles.js'
import { readYamlFile, type Finding, type YamlFile } from './yaml-file.js'

const tier = z.strictObject({
  api: apiName,
  name: tierName,
  description: longText.optional(),
  approval: z.enum(['automatic', 'manual']),
  automaticPerOwner: z.int().min(1).optional(),
  limits: limitInputs,
  state: z.enum(['active', 'deprecated']).optional(),
})

const client = z.strictObject({
  clientId: id,
  name: freeText,
  owner: freeText.optional(),
  type: z.enum(['confidential', 'public']).optional(),
  state: z.enum(['active', 'disabled']).optional(),
})

const contract = z.strictObject({
  client: id,
  api: apiName,
  tier: tierName.optional(),
  state: z.enum(['approved', 'revoked']).optional(),
  limits: limitInputs.optional(),
})

/** Who gives out client IDs. Secrets are named by the variable of the environment that holds them. */
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable of the environment')

const provider = z.strictObject({
  name: id,
  kind: z.enum(['oidc', 'entra', 'local']).optional(),
  issuer: z.string().optional(),
  profile: z.enum(Object.keys(issuerProfiles) as IssuerProfileName[]).optional(),
  registrationEndpoint: z.string().optional(),
  tokenEndpoint: z.string().optional(),
  tenant: z.string().optional(),
  scheme: z.enum(['Bearer', 'SSWS']).optional(),
  tokenFrom: variable.optional(),
  clientId: z.string().optional(),
  clientSecretFrom: variable.optional(),
  privateKeyFrom: variable.optional(),
  scopes: z.array(z.string()).optional(),
  allowInsecureRequests: z.boolean().optional(),
})

const code = z.strictObject({
  providers: z.array(provider).optional(),
  tiers: z.array(tier).optional(),
  clients: z.array(client).optional(),
  contracts: z.array(contract).optional(),
})

export type Code = z.infer<typeof code>
export type CodedProvider = z.infer<typeof provider>
export type CodedTier = z.infer<typeof tier>
export type CodedClient = z.infer<typeof client>
export type CodedContract = z.infer<typeof contract>

export interface CodeFile {
  readonly yaml: YamlFile
  readonly code: Code
}

/** The file, checked for all that can be said without a store. */
export function readCodeFile(path: string): CodeFile {
  const yaml = readYamlFile(path)
  const result = code.safeParse(yaml.data ?? {})
  if (!result.success) return yaml.refuse(result.error.issues.flatMap(findingsOf))
  const twice = [
    ...duplicates(result.data.providers, 'providers', ({ name }) => [name]),
    ...duplicates(result.data.tiers, 'tiers', ({ api, name }) => [api, name]),
    ...duplicates(result.data.clients, 'clients', ({ clientId }) => [clientId]),
    ...duplicates(result.data.contracts, 'contracts', ({ client: held, api }) => [held, api]),
  ]
  return twice.length > 0 ? yaml.refuse(twice) : { yaml, code: result.data }
}

/** An unknown member has its own line; zod names it beside the path of its object. */
function findingsOf(issue: z.core.$ZodIssue): Finding[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }]
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'no such member' }))
}

function duplicates<T>(list: readonly T[] = [], name: string, keyOf: (item: T) => readonly string[]): Finding[] {
  const seen = new Set<string>()
  return list.flatMap((item, at) => {
    const key = JSON.stringify(keyOf(item))
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return [{ path: [name, at], message: 'stands there already' }]
  })
}

/** For editors: what the file may hold. What a limit may leave out is not required. */
export function codeJsonSchema(): object {
  const schema = z.toJSONSchema(code, {
    io: 'output',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      const algorithm = jsonSchema.properties?.['algorithm'] as { readonly const?: unknown } | undefined
      if (algorithm?.const === 'fixed') drop(jsonSchema, 'algorithm')
      if (algorithm?.const === 'concurrent') drop(jsonSchema, 'maxAgeSeconds')
    },
  })
  return { title: 'clientele.yaml', ...schema }
}

function drop(schema: z.core.JSONSchema.BaseSchema, name: string): void {
  if (schema.required !== undefined) schema.required = schema.required.filter((each) => each !== name)
}
