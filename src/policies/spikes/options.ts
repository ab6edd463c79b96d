import { z } from 'zod'
import { oneOrMoreLimits, type LimitInput } from '../../contracts/limit-schemas.js'
import type { RateLimitFieldSet } from '../../http/rate-limit-fields.js'
import type { Counter } from '../../limits/counter.js'
import type { WhenCounterFails } from '../../limits/when-counter-fails.js'
import { counterOption, whenCounterFailsOption } from '../counter-options.js'
import { enforceOption } from '../enforcement.js'
import { fieldSets } from '../limit-answer.js'
import { queueOptionsShape } from '../queue.js'

export interface ControlSpikesOptions {
  /**
   * Who shares a limit:
   * - `address`: the requests of one address, an IPv6 network counting as one. Behind a proxy this takes
   *   `trustedProxies` of `clientele()`;
   * - `client`: those of one client, once a policy before this one has identified it. Never a client that a request
   *   only claims to be of: a stranger could lock it out;
   * - `route`: all requests to what this very handler guards.
   */
  readonly by: 'address' | 'client' | 'route'
  /** At most so many `requests` in `windowSeconds`; several limits hold together. `algorithm` as in a tier. */
  readonly limit: LimitInput | readonly LimitInput[]
  /**
   * - `all`: every request;
   * - `failures`: those whose client secret or token was wrong, and those answered 401 by the application. For
   *   guessing: a request takes its place before anything is checked, and gives it back when its answer is over, so
   *   that no more guesses are under way than the limit has left. So are no more good requests: leave room for them;
   * - `successes`: those answered with a status below 400.
   * @default 'all'
   */
  readonly count?: 'all' | 'failures' | 'successes'
  /** For `by: 'address'`: how many leading bits of an IPv6 address one caller has to himself, 32 to 128. @default 64 */
  readonly ipv6PrefixLength?: number
  /**
   * Which header fields tell callers where they stand, as for `limitBySla`. None unless it is asked for: a limit that
   * several callers share would tell each what the others do.
   * @default []
   */
  readonly fields?: readonly RateLimitFieldSet[]
  /**
   * Who counts. Its own one, so that a flood of addresses takes no place from clients; it holds 200,000 callers at a
   * time, and then answers new ones with 503.
   * @default a `memoryCounter({ maxKeys: 200_000 })` of this control alone
   */
  readonly counter?: Counter
  /**
   * What callers are told is exceeded. In a `counter` that others use too, one name is one count, so it has to be
   * written there.
   * @default the value of `by`
   */
  readonly name?: string
  /** What becomes of requests when the counter does not answer, as for `limitBySla`. @default 'refuse' */
  readonly whenCounterFails?: WhenCounterFails
  /**
   * Whether the limit is kept, as for `limitBySla`. A number from 0 to 1 is a share of those who are counted: of
   * addresses or clients. `by: 'route'` counts all as one, so that there is none.
   * @default true
   */
  readonly enforce?: boolean | number
  /**
   * Lets requests over the limit wait for their turn, first in, first out, instead of turning them away: `maxWaitMs`
   * at the most (5000), `maxWaiting` of those that share a limit (10), `maxWaitingInAll` in all (1000). Not for
   * `count: 'failures'`: it would make guessing wait where it should end.
   * @default none waits
   */
  readonly queue?: SpikeQueueOptions
}

export interface SpikeQueueOptions {
  readonly maxWaitMs?: number
  readonly maxWaiting?: number
  readonly maxWaitingInAll?: number
}

export const spikeOptionsSchema = z
  .strictObject({
    by: z.enum(['address', 'client', 'route'], "expected 'address' (the IP address), 'client' or 'route'"),
    limit: oneOrMoreLimits,
    count: z.enum(['all', 'failures', 'successes']).default('all'),
    ipv6PrefixLength: z.int().min(32).max(128).optional(),
    fields: fieldSets.default([]),
    counter: counterOption.optional(),
    name: z.string().min(1).max(255).optional(),
    whenCounterFails: whenCounterFailsOption.default('refuse'),
    enforce: enforceOption,
    queue: z.strictObject(queueOptionsShape).optional(),
  })
  .refine(({ count, queue }) => queue === undefined || count !== 'failures', {
    path: ['queue'],
    error: "not with count: 'failures', whose purpose is to turn away",
  })
  .refine(({ by, enforce }) => by !== 'route' || typeof enforce === 'boolean', {
    path: ['enforce'],
    error: "expected true or false: by: 'route' counts all as one",
  })
  .refine(({ by, ipv6PrefixLength }) => by === 'address' || ipv6PrefixLength === undefined, {
    path: ['ipv6PrefixLength'],
    error: "only for by: 'address'",
  })
  .refine(({ counter, name }) => counter === undefined || name !== undefined, {
    path: ['name'],
    error: 'expected one beside counter: it tells the counts of this control from those of others',
  })
