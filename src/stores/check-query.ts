import { z } from 'zod'
import { parse } from '../contracts/check-record.js'
import { apiName, id } from '../contracts/schema-words.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { ListQuery, RecordKind } from '../contracts/store.js'
import type { AnyRecord } from './check-changes.js'

export type Field = 'api' | 'client' | 'state'

/** By what each kind of record can be listed. */
export const listFields: Readonly<Record<RecordKind, readonly Field[]>> = {
  client: ['state'],
  identity: ['client'],
  contract: ['client', 'api', 'state'],
  revocation: [],
  tier: ['api', 'state'],
  registration: ['client', 'state'],
  audit: ['client', 'api'],
  'audit-head': [],
  follower: [],
  webhook: ['state'],
}

export interface CheckedQuery {
  readonly kind: RecordKind
  /** The most telling field first. */
  readonly filters: readonly (readonly [Field, string])[]
  readonly cursor: string | undefined
  readonly pageSize: number
}

const query = z.strictObject({
  kind: z.enum(Object.keys(listFields) as RecordKind[]),
  api: apiName.optional(),
  client: id.optional(),
  state: z.string().max(255).optional(),
  cursor: z.string().max(1000).optional(),
  pageSize: z.int().min(1).max(1000).optional(),
})

/** For the `list` of every store. Throws `ERR_CLIENTELE_INVALID`, also for a filter that the kind does not have. */
export function checkQuery(given: ListQuery): CheckedQuery {
  const { kind, cursor, pageSize = 100, ...filters } = parse('list()', query, given)
  if (cursor !== undefined && !cursor.startsWith(`${kind}/`)) {
    throw new ClienteleFault(
      'ERR_CLIENTELE_INVALID',
      `list(): cursor: expected the cursor of a page of ${kind} records`,
    )
  }
  const fields = listFields[kind]
  const foreign = (['api', 'client', 'state'] as const).find(
    (name) => filters[name] !== undefined && !fields.includes(name),
  )
  if (foreign !== undefined) {
    const remedy = fields.length === 0 ? 'all of them are listed' : `it can be listed by ${fields.join(', ')}`
    throw new ClienteleFault('ERR_CLIENTELE_INVALID', `list(): ${kind} has no ${foreign}; ${remedy}`)
  }
  const used = fields.flatMap((field) => {
    const value = filters[field]
    return value === undefined ? [] : [[field, value] as const]
  })
  return { kind, filters: used, cursor, pageSize }
}

export function fieldOf(record: AnyRecord, field: Field): string | undefined {
  const value = (record as Partial<Record<Field, string | null>>)[field]
  return value ?? undefined
}

export function fits(record: AnyRecord, filters: CheckedQuery['filters']): boolean {
  return filters.every(([field, value]) => fieldOf(record, field) === value)
}
