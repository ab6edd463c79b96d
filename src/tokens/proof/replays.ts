import { hash } from 'node:crypto'
import { ClienteleFault } from '../../decisions/faults.js'
import type { HttpRequest } from '../../decisions/http-request.js'
import { andThen, type MaybePromise } from '../../decisions/maybe-promise.js'
import type { ReplayMemory } from '../../decisions/replay-memory.js'
import { yesOrNo } from '../yes-or-no.js'

/** What makes a proof one and the same: whose token it goes with, whose key has signed it, and its `jti`. */
export interface ProofIdentity {
  readonly issuer: string
  readonly thumbprint: string
  readonly jti: string
}

/** Whether a request is the first to bring a proof. Fails with a `ClienteleFault` where that cannot be told. */
export type IsFirstUse = (request: HttpRequest, proof: ProofIdentity) => MaybePromise<boolean>

/** Proofs of a request that were found to be new: policies in a row must not take it for its own replay. */
const foundNew = new WeakMap<HttpRequest, { readonly memory: ReplayMemory; readonly key: string }[]>()

/** `forMs`: as long as a proof could be taken. */
export function replayGuard(memory: ReplayMemory, forMs: number, timeoutMs: number): IsFirstUse {
  const remember = yesOrNo((key: string, holder: string) => memory.remember(key, forMs, holder), timeoutMs, unknown)
  return (request, proof) => {
    const key = keyOf(proof)
    const before = foundNew.get(request) ?? []
    if (before.some((found) => found.memory === memory && found.key === key)) return true
    return andThen(remember(key, proof.thumbprint), (isNew) => {
      if (isNew) foundNew.set(request, [...before, { memory, key }])
      return isNew
    })
  }
}

/** Not in the clear, and never that of another issuer or key, whatever `jti` somebody chooses (RFC 9449 §11.1). */
function keyOf({ issuer, thumbprint, jti }: ProofIdentity): string {
  return hash('sha256', JSON.stringify([issuer, thumbprint, jti]), 'base64url')
}

function unknown(what: string, cause?: unknown): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_REPLAY', `The memory of proofs ${what}.`, { cause })
}
