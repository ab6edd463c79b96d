import { ClienteleFault } from '../../decisions/faults.js'
import type { HttpRequest } from '../../decisions/http-request.js'
import { isPromise } from '../../decisions/maybe-promise.js'

/** What a request is charged: a number, or what a function of the request says. */
export type Cost = number | ((request: HttpRequest) => number)

/** @throws ClienteleFault `ERR_CLIENTELE_COST`: what cannot be told is never an admission for nothing. */
export function costOf(policy: string, cost: Cost, request: HttpRequest): number {
  if (typeof cost === 'number') return cost
  let told: unknown
  try {
    told = cost(request)
  } catch (cause) {
    throw new ClienteleFault('ERR_CLIENTELE_COST', `cost of ${policy}() failed`, { cause })
  }
  return checkedCost(`cost of ${policy}()`, told)
}

export function checkedCost(what: string, told: unknown): number {
  if (typeof told === 'number' && told >= 0 && told < Infinity) return told
  // Nobody waits for it, and nobody else would notice that it fails.
  if (isPromise(told)) Promise.resolve(told).catch(() => undefined)
  throw new ClienteleFault('ERR_CLIENTELE_COST', `${what}: expected a finite number, 0 or more, and at once`)
}
