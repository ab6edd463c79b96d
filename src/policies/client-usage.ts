import { z } from 'zod'
import { id } from '../contracts/schema-words.js'
import type { CheckedReader } from '../contracts/reader.js'
import { resolveTerms } from '../contracts/terms.js'
import type { AdmittedTier, Usage } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import { guardedPeek, guardedReset, type GuardedCounter } from '../limits/guarded-take.js'
import { forgetLocalUse } from '../limits/share-charging.js'
import { subjectOf } from '../limits/subject.js'
import { usageFrom } from '../limits/usage.js'
import { check } from '../runtime/check.js'
import { planOf } from './tier-plan.js'

/** Whose use of an API is meant. */
export interface UsageQuestion {
  /** The internal ID of the client (`client.id`), not the `clientId` that callers send. */
  readonly client: string
  /**
   * `false`: what was used by callers who gave its ID alone (`secret: 'optional'`), which counts apart.
   * @default true
   */
  readonly authenticated?: boolean
}

/** Where a client stands with the limits of its contract. */
export interface ClientUsage {
  /** With the limits that hold for this contract, which may be its own. */
  readonly tier: AdmittedTier
  /** As before the next request: nothing was charged for asking. `waitSeconds` is for a cost of 1. */
  readonly usage: Usage
}

export interface UsageDesk {
  usageOf(question: UsageQuestion): Promise<ClientUsage>
  resetUsage(question: UsageQuestion): Promise<void>
}

interface UsageContext extends GuardedCounter {
  readonly api: string
  readonly reader: CheckedReader
}

const questionSchema = z.strictObject({ client: id, authenticated: z.boolean().default(true) })

/** For people who are asked "why do I get a 429?". Over the same contracts and the same counter as the policies. */
export function usageDesk(context: UsageContext): UsageDesk {
  const { api, reader } = context

  return {
    async usageOf(question) {
      const { client, authenticated } = check('ERR_CLIENTELE_INVALID', 'usageOf()', questionSchema, question)
      const tier = await tierOf(reader, api, client)
      const { limits, counterLimits } = planOf(tier)
      const readings = await guardedPeek(context, subjectOf(api, client, authenticated), counterLimits)
      return Object.freeze({ tier, usage: usageFrom(limits, readings) })
    },

    async resetUsage(question) {
      const { client, authenticated } = check('ERR_CLIENTELE_INVALID', 'resetUsage()', questionSchema, question)
      const subject = subjectOf(api, client, authenticated)
      await guardedReset(context, subject)
      forgetLocalUse(context.counter, subject)
    },
  }
}

async function tierOf(reader: CheckedReader, api: string, client: string): Promise<AdmittedTier> {
  const terms = await resolveTerms(reader, api, client)
  const of = `of client ${JSON.stringify(client)} for API ${JSON.stringify(api)}`
  if (terms.kind === 'refused') {
    const state = terms.code.slice('contract_'.length)
    if (state === 'missing') throw new ClienteleFault('ERR_CLIENTELE_NOT_FOUND', `There is no contract ${of}.`)
    throw new ClienteleFault('ERR_CLIENTELE_STATE', `The contract ${of} is ${state}: it has no limits to stand with.`)
  }
  if (terms.tier !== undefined) return terms.tier
  throw new ClienteleFault('ERR_CLIENTELE_STATE', `The contract ${of} has no tier; give it one with changeTier().`)
}
