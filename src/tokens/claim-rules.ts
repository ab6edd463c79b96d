import { isPromise } from '../decisions/maybe-promise.js'

type Claims = Readonly<Record<string, unknown>>
type Plain = string | number | boolean

/** A schema of any library that follows Standard Schema (zod, Valibot, ArkType), as far as it is used. */
export interface ClaimSchema {
  readonly '~standard': { readonly validate: (value: unknown) => unknown }
}

/**
 * What a claim has to be: exactly this value, one of a list, what a function says `true` to, or what a schema takes.
 * A claim that is absent is `undefined` to function and schema, which must answer at once. A list in the token is
 * no single value: look into it with a function.
 */
export type ClaimCheck = Plain | readonly Plain[] | ((value: unknown, claims: Claims) => boolean) | ClaimSchema

export interface ClaimRule {
  readonly name: string
  readonly holds: (value: unknown, claims: Claims) => boolean
}

export function claimRules(checks: Readonly<Record<string, ClaimCheck>>): readonly ClaimRule[] {
  return Object.entries(checks).map(([name, check]) => ({ name, holds: ruleOf(name, check) }))
}

/** The name of the first claim that is not as it has to be. */
export function unmetRule(rules: readonly ClaimRule[], claims: Claims): string | undefined {
  for (const { name, holds } of rules) {
    if (!holds(Object.hasOwn(claims, name) ? claims[name] : undefined, claims)) return name
  }
  return undefined
}

/** Whether something could be a check, for options. */
export function isClaimCheck(check: unknown): check is ClaimCheck {
  return (
    isPlain(check) || (Array.isArray(check) && check.every(isPlain)) || typeof check === 'function' || isSchema(check)
  )
}

function ruleOf(name: string, check: ClaimCheck): ClaimRule['holds'] {
  // Schemas of some libraries are functions.
  if (isSchema(check)) return (value) => fits(name, check['~standard'].validate(value))
  if (typeof check === 'function') return (value, claims) => isTrue(name, check(value, claims))
  const allowed: ReadonlySet<unknown> = new Set(Array.isArray(check) ? check : [check])
  return (value) => allowed.has(value)
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

function isSchema(check: unknown): check is ClaimSchema {
  if (check === null || (typeof check !== 'object' && typeof check !== 'function')) return false
  const standard: unknown = Reflect.get(check, '~standard')
  return typeof standard === 'object' && standard !== null && typeof Reflect.get(standard, 'validate') === 'function'
}

/** A promise is an object, and would always pass for a "yes". */
function isTrue(name: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw noAnswer(name, answer, 'true or false')
}

function fits(name: string, result: unknown): boolean {
  if (typeof result !== 'object' || result === null || isPromise(result)) throw noAnswer(name, result, 'a result')
  return Reflect.get(result, 'issues') === undefined
}

function noAnswer(name: string, answer: unknown, expected: string): TypeError {
  if (isPromise(answer)) Promise.resolve(answer).catch(() => undefined)
  return new TypeError(`The check of the claim ${JSON.stringify(name)}: expected ${expected}, and at once.`)
}
