import { z } from 'zod'
import type { HttpRequest } from '../../decisions/http-request.js'
import type { Outcome } from '../../decisions/policy.js'
import type { RateLimitFieldSet } from '../../http/rate-limit-fields.js'
import type { WhenCounterFails } from '../../limits/when-counter-fails.js'
import { whenCounterFailsOption } from '../counter-options.js'
import { enforceOption } from '../enforcement.js'
import { fieldSets } from '../limit-answer.js'

/** What policies that hold a client to its tier have in common. */
export interface SlaOptions {
  /**
   * What one request is charged to every limit of the tier: a finite number, 0 or more, or a function that tells it of
   * the request, at once. It is the most that the request can come to (see `actualCost`). Above the smallest limit no
   * request can ever pass: each gets its 429. Requests in flight (`concurrent`) are counted one by one.
   * @default 1
   */
  readonly cost?: number | ((request: HttpRequest) => number)
  /**
   * Which answers count, by their status: `successes` (under 400), `failures` (400 and above), or a list. Every
   * request is charged when it comes, and what does not count is given back when its answer is over, so that no more
   * are under way than the limits have left. An answer that was broken off counts.
   * @default 'all'
   */
  readonly count?: 'all' | 'successes' | 'failures' | readonly number[]
  /**
   * What a request came to, once its answer is over: a function of status, bytes and the like, or `handler` for what
   * the handler says with `setActualCost()`. What was charged beyond that is given back, once, into the windows that
   * were charged. Never more than `cost`: a limit that was kept when the request came is not broken by its answer.
   * @default none: what was charged stays charged
   */
  readonly actualCost?: 'handler' | ((outcome: Outcome) => number)
  /**
   * Which header fields tell the client where it stands; `[]` for none. `x-ratelimit` and `x-ratelimit-ms` are the
   * same names in seconds and in milliseconds, so one of them at most.
   * @default ['ratelimit']
   */
  readonly fields?: readonly RateLimitFieldSet[]
  /**
   * What becomes of requests when the counter does not answer: `refuse` (503); `admit`, which lets them pass uncounted,
   * without `usage`; or `localShare`, with which this process goes on with its part of each limit, one of `processes`,
   * and tells the counter of it afterwards. Events say when it was so.
   * @default 'refuse'
   */
  readonly whenCounterFails?: WhenCounterFails
  /**
   * Whether the limits are kept. `false` only watches: everything is counted, nobody is turned away, and events say
   * whom it would have been. A number from 0 to 1 keeps that share of clients to their limits: always the same ones, in
   * every process, and all of them still at a larger share.
   * @default true
   */
  readonly enforce?: boolean | number
}

const amount = 'expected a finite number, 0 or more'
const isFunction = (value: unknown): boolean => typeof value === 'function'

export const slaOptionsShape = {
  cost: z
    .union(
      [z.number(amount).min(0, amount), z.custom<(request: HttpRequest) => number>(isFunction)],
      `${amount}, or a function`,
    )
    .default(1),
  count: z
    .union(
      [z.enum(['all', 'successes', 'failures']), z.array(z.int().min(200).max(599)).min(1)],
      "expected 'all', 'successes', 'failures' or a list of statuses",
    )
    .default('all'),
  actualCost: z
    .union(
      [z.literal('handler'), z.custom<(outcome: Outcome) => number>(isFunction)],
      "expected 'handler' or a function",
    )
    .optional(),
  fields: fieldSets.default(['ratelimit']),
  whenCounterFails: whenCounterFailsOption.default('refuse'),
  enforce: enforceOption,
}

export type CheckedSlaOptions = z.infer<z.ZodObject<typeof slaOptionsShape>>
