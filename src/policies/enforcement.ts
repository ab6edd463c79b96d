import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Remarks } from '../decisions/policy.js'
import { LookingCharging, type Charge, type Charging } from '../limits/charging.js'
import type { GuardedCounter } from '../limits/guarded-take.js'
import { charging, type WhenCounterFails } from '../limits/when-counter-fails.js'
import { remarksOf } from './limit-answer.js'

const expected = 'expected true, false or a share of clients from 0 to 1'

/** The option `enforce` of limits. Policies that identify have none: who is not known must never get in. */
export const enforceOption = z
  .union([z.boolean(), z.number().min(0, expected).max(1, expected)], expected)
  .default(true)

export interface EnforcementOptions {
  readonly enforce: boolean | number
  readonly whenCounterFails: WhenCounterFails
}

/** How somebody is charged, and whether it can turn him away or is only watched. */
export interface Hold {
  readonly enforced: boolean
  readonly charging: Charging
}

/**
 * Who is held to limits. By whom, not by request: a client that is let through one moment and turned away the next
 * could make nothing of it. The same in every process and after a restart, and who is held at some share is held at
 * every larger one.
 */
export class Enforcement {
  readonly #options: EnforcementOptions
  readonly #held: Hold
  readonly #watched: Hold
  readonly #guarded: GuardedCounter

  /** There where all are held alike, so that nobody's place has to be known. */
  readonly ofAll: Hold | undefined

  constructor(guarded: GuardedCounter, options: EnforcementOptions) {
    const { enforce, whenCounterFails } = options
    this.#options = options
    this.#guarded = guarded
    this.#held = { enforced: true, charging: charging(guarded, whenCounterFails) }
    // Where nobody is to be turned away, an outage turns nobody away either.
    const watching = whenCounterFails === 'refuse' ? 'admit' : whenCounterFails
    this.#watched = { enforced: false, charging: charging(guarded, watching) }
    if (typeof enforce === 'boolean') this.ofAll = enforce ? this.#held : this.#watched
  }

  of(whom: string): Hold {
    return this.ofAll ?? this.at(placeOf(whom))
  }

  /** For a share of clients; `place` as `placeOf` tells it. */
  at(place: number): Hold {
    return place < Number(this.#options.enforce) ? this.#held : this.#watched
  }

  /** The same hold for who only wants to know. */
  looking({ enforced }: Hold): Hold {
    const refuses = enforced && this.#options.whenCounterFails === 'refuse'
    return { enforced, charging: new LookingCharging(this.#guarded, refuses) }
  }

  /** What events are to be told of a charge, with what it would have come to for who is only watched. */
  remarksOf({ enforced }: Hold, charge: Charge): Remarks | undefined {
    const remarks = remarksOf(charge)
    if (enforced) return remarks
    if (!charge.taken) return { ...remarks, notEnforced: 'limit_exceeded' }
    if (charge.alone === undefined || this.#options.whenCounterFails !== 'refuse') return remarks
    return { fault: charge.alone.fault, notEnforced: charge.alone.fault.code }
  }
}

/** A number from 0 to below 1. */
export function placeOf(whom: string): number {
  return hash('sha256', whom, 'buffer').readUInt32BE(0) / 2 ** 32
}
