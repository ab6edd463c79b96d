import { z } from 'zod'
import { parseInput } from '../check-record.js'
import type { Client } from '../model.js'
import { freeText, id } from '../schema-words.js'
import type { ContractStore } from '../store.js'
import { edited, found, inputShape, replace, type LifecycleInput } from './common.js'

export interface EditClientInput extends LifecycleInput {
  readonly client: string
  readonly name?: string
  /** `null`: nobody's. */
  readonly owner?: string | null
}

const editInput = z.strictObject({
  ...inputShape,
  client: id,
  name: freeText.optional(),
  owner: freeText.nullable().optional(),
} satisfies Record<keyof EditClientInput, z.ZodType>)

/**
 * Gives a client another name or owner. What is left out stays as it is.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`
 */
export async function editClient(store: ContractStore, input: EditClientInput): Promise<Client> {
  const checked = parseInput('editClient()', editInput, input)
  const before = await found(store, 'client', { id: checked.client }, checked.version)
  const { name = before.name, owner = before.owner } = checked
  const after = edited('client', before, checked, { name, owner: owner ?? undefined })
  return replace(store, 'client', before, after, { step: 'editClient' })
}
