import { clientele as forExpress } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import { expect } from 'vitest'
import type { Handlers } from '../../src/adapters/handlers.js'
import type { ClienteleOptions } from '../../src/clientele.js'
import type { IdentifyingPolicy, Verdict } from '../../src/decisions/policy.js'
import type { Answer } from '../support/call.js'
import type { App, Framework } from '../support/frameworks.js'

export type Headers = readonly (readonly [name: string, value: string])[]

/** The handlers of a further `clientele()`, to stand in one application with those of the first. */
export function clienteleFor({ name }: Framework, options: ClienteleOptions): Handlers<object> {
  return name.startsWith('Koa') ? forKoa(options) : forExpress(options)
}

/** Middleware of the application's own, between two policies; it is given whatever carries `clientele`. */
export function between({ name }: Framework, act: (carrier: { clientele?: unknown }) => void): object {
  if (name.startsWith('Koa')) {
    return (context: object, next: () => Promise<unknown>) => {
      act(context)
      return next()
    }
  }
  return (request: object, _response: object, next: () => void) => {
    act(request)
    next()
  }
}

export const bearer = (token: string): Headers => [['Authorization', `Bearer ${token}`]]

export const codeOf = ({ status, json }: Answer): readonly [number, unknown] => [
  status,
  (json as { code?: string } | undefined)?.code,
]

/** RFC 9110 §11.6.1 as far as we use it: a scheme and quoted strings of visible ASCII. */
const challenge = /^[A-Za-z-]+ [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(?:, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*")*$/

/** Status and code, and what every refusal has: a problem document that nobody keeps, a 401 its challenge. */
export function expectRefusal(answer: Answer, status: number, code: string): void {
  expect(codeOf(answer), answer.text).toEqual([status, code])
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(answer.headers['cache-control']).toMatch(/^(private, )?no-store$/)
  const challenges = answer.fields('www-authenticate')
  if (status === 401) expect(challenges.length).toBeGreaterThan(0)
  for (const each of challenges) expect(each).toMatch(challenge)
  if (status === 503) expect(answer.headers['retry-after']).toMatch(/^\d+$/)
}

/** The admission that the handler saw, as far as these tests look at it. */
export const admittedAs = (answer: Answer): { id: string; clientId: string } | undefined => {
  const client = (answer.json as { admission?: { client?: { id: string; identity: { clientId: string } } } }).admission
    ?.client
  return client && { id: client.id, clientId: client.identity.clientId }
}

/** The same policy, with everything that it says or throws kept for a look. */
export function watched(on: Handlers<object>, policy: IdentifyingPolicy, said: unknown[]): object {
  const decide: IdentifyingPolicy['decide'] = async (request, admission): Promise<Verdict> => {
    try {
      const verdict = await policy.decide(request, admission)
      said.push(verdict)
      return verdict
    } catch (error) {
      said.push(error)
      throw error
    }
  }
  return on.enforce({ name: policy.name, decide })
}

export type Routes = App['routes']
