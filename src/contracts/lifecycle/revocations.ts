import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import { checkRecord, parseInput } from '../check-record.js'
import type { Revocation } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { actor, instant, issuer, longText, version } from '../schema-words.js'
import type { ContractStore } from '../store.js'
import { listAll } from '../every-record.js'
import { commit } from './audit-log.js'
import {
  edited,
  firstVersion,
  found,
  requireVersion,
  stamp,
  stepOn,
  withoutUndefined,
  type LifecycleInput,
} from './common.js'

/** Which tokens of an issuer: exactly one of the three. */
export interface RevokedTokens {
  readonly issuer: string
  /** One token, by its `jti`. */
  readonly token?: string
  /** All of a user, by `sub`. */
  readonly subject?: string
  /** All of a client, by the client ID that the issuer knows it by. */
  readonly clientId?: string
}

export interface RevokeTokensInput extends RevokedTokens, LifecycleInput {
  /** For users and clients: tokens that were issued later work. ISO 8601. @default now */
  readonly issuedBefore?: string
  /** When the last of these tokens has ended by itself, so that this may be forgotten. @default never */
  readonly endsAt?: string
  readonly reason?: string
}

export interface AllowTokensInput extends RevokedTokens, LifecycleInput {}

const value = z.string().min(1).max(2000)
const whichShape = { issuer, token: value.optional(), subject: value.optional(), clientId: value.optional() }
const commonShape = { ...whichShape, actor, version: version.optional() }
const revokeInput = z.strictObject({
  ...commonShape,
  issuedBefore: instant.optional(),
  endsAt: instant.optional(),
  reason: longText.optional(),
} satisfies Shape<RevokeTokensInput>)
const allowInput = z.strictObject(commonShape satisfies Shape<AllowTokensInput>)
const forgetInput = z.strictObject({ actor })

/**
 * Makes tokens stop working, whatever their issuer says of them: for policies of a `clientele()` with
 * `revocations: 'store'`, in every process. Once more moves the moment on.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_CONFLICT`
 */
export async function revokeTokens(store: ContractStore, input: RevokeTokensInput): Promise<Revocation> {
  const checked = parseInput('revokeTokens()', revokeInput, input)
  const key = keyOfTokens('revokeTokens()', checked)
  const { endsAt, reason } = checked
  const issuedBefore = momentOf(checked)
  const before = await store.find('revocation', key)
  if (before !== undefined) requireVersion('revocation', before.version, checked.version)
  const revocation =
    before === undefined
      ? newRevocation(key, withoutUndefined({ issuedBefore, endsAt, reason }), checked)
      : edited('revocation', before, checked, { issuedBefore, endsAt, reason })
  const change = { kind: 'revocation', key, expect: before?.version ?? null, value: revocation } as const
  await commit(store, [change], [stepOn('revocation', revocation, 'revokeTokens')])
  return revocation
}

/**
 * Takes a revocation back: these tokens work again.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`
 */
export async function allowTokens(store: ContractStore, input: AllowTokensInput): Promise<void> {
  const checked = parseInput('allowTokens()', allowInput, input)
  const key = keyOfTokens('allowTokens()', checked)
  const before = await found(store, 'revocation', key, checked.version)
  const step = { step: 'allowTokens', actor: checked.actor, ...key } as const
  await commit(store, [{ kind: 'revocation', key, expect: before.version, value: null }], [step])
}

/**
 * Forgets revocations whose `endsAt` is past, and says how many: every process keeps all that there are in memory.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_CONFLICT`
 */
export async function forgetRevocations(store: ContractStore, input: { readonly actor: string }): Promise<number> {
  const { actor: forgetter } = parseInput('forgetRevocations()', forgetInput, input)
  const now = Date.now()
  const ended = (await listAll(store, { kind: 'revocation' })).filter(
    ({ endsAt }) => endsAt !== undefined && Date.parse(endsAt) <= now,
  )
  for (const { issuer, target, version: expect } of ended) {
    const step = { step: 'forgetRevocations', actor: forgetter, issuer, target } as const
    await commit(store, [{ kind: 'revocation', key: { issuer, target }, expect, value: null }], [step])
  }
  return ended.length
}

function newRevocation(key: Pick<Revocation, 'issuer' | 'target'>, members: object, input: LifecycleInput): Revocation {
  const stamped = stamp(input)
  const created = { version: firstVersion(), createdAt: stamped.updatedAt, ...stamped }
  return checkRecord('revocation', { ...key, ...members, ...created })
}

function keyOfTokens(where: string, which: RevokedTokens): Pick<Revocation, 'issuer' | 'target'> {
  const { token, subject, clientId } = which
  const targets: readonly (Revocation['target'] | undefined)[] = [
    token === undefined ? undefined : `token:${token}`,
    subject === undefined ? undefined : `subject:${subject}`,
    clientId === undefined ? undefined : `client:${clientId}`,
  ]
  const [target, ...more] = targets.filter((each) => each !== undefined)
  if (target !== undefined && more.length === 0) return { issuer: which.issuer, target }
  throw new ClienteleFault('ERR_CLIENTELE_INVALID', `${where}: expected one of token, subject and clientId`)
}

function momentOf({ token, issuedBefore }: RevokeTokensInput): string | undefined {
  if (token === undefined) return issuedBefore ?? new Date().toISOString()
  if (issuedBefore === undefined) return undefined
  const message = 'revokeTokens(): issuedBefore goes with subject and clientId, not with a single token'
  throw new ClienteleFault('ERR_CLIENTELE_INVALID', message)
}
