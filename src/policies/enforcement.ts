import { hash } from 'node:crypto'
import { z } from 'zod'

/** Whether a limit is kept or only watched: for all, for nobody, or for a share of those who are counted. */
export type Enforce = boolean | number

const expected = 'expected true, false or a share of clients from 0 to 1'

/** The option `enforce` of limits. Policies that identify have none: who is not known must never get in. */
export const enforceOption = z.union([z.boolean(), z.number().min(0).max(1)], expected).default(true)

/**
 * By whom, not by request: a client that is let through one moment and turned away the next could make nothing of it.
 * The same in every process and after a restart, and who is held at some share is held at every larger one.
 */
export function isEnforced(enforce: Enforce, whom: string): boolean {
  return typeof enforce === 'boolean' ? enforce : placeOf(whom) < enforce
}

/** A number from 0 to below 1. */
function placeOf(whom: string): number {
  return hash('sha256', whom, 'buffer').readUInt32BE(0) / 2 ** 32
}
