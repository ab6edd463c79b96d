import { readFileSync } from 'node:fs'
import { monotonicClock, wallClock } from './clock.js'

/** A moment by both clocks of this process. */
export interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
}

/** A moment that is written down, for a process that comes after this one. */
export interface WrittenMoment {
  readonly wallMs: number
  /** On this start of this machine, by a clock that nobody sets. Stands still while the machine sleeps. */
  readonly uptimeMs: number
  /** Which start of which machine that was; `''` where it cannot be told. */
  readonly boot: string
}

export function momentNow(): Moment {
  return { monotonicMs: monotonicClock(), wallMs: wallClock() }
}

/** Take the moment before you look how long ago it was: the other way round things come out younger than they are. */
export function earlier({ monotonicMs, wallMs }: Moment, ms: number): Moment {
  return { monotonicMs: monotonicMs - ms, wallMs: wallMs - ms }
}

/**
 * For what must not live longer because somebody set a clock back: the longer of what both clocks say. The wall clock
 * counts a machine that sleeps, the other one cannot be set.
 */
export function elapsedMs({ monotonicMs, wallMs }: Moment): number {
  return Math.max(monotonicClock() - monotonicMs, wallClock() - wallMs)
}

/** For a moment to come: whether either clock has it behind. */
export function hasPassed({ monotonicMs, wallMs }: Moment): boolean {
  return monotonicClock() >= monotonicMs || wallClock() >= wallMs
}

export const never: Moment = Object.freeze({ monotonicMs: Infinity, wallMs: Infinity })

export function writeMoment(): WrittenMoment {
  return { wallMs: wallClock(), uptimeMs: uptimeMs(), boot }
}

/** `Infinity` where nothing can be told: another start of the machine, and a wall clock that was set back. */
export function elapsedSinceWritten(written: WrittenMoment): number {
  const isThisBoot = boot !== '' && written.boot === boot
  const byUptime = isThisBoot ? uptimeMs() - written.uptimeMs : -1
  const elapsed = Math.max(wallClock() - written.wallMs, byUptime)
  return elapsed >= 0 ? elapsed : Infinity
}

function uptimeMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

const boot = bootOf('/proc/sys/kernel/random/boot_id')

/** Linux tells. Elsewhere a clock that was set back between two processes is noticed by the wall clock alone. */
function bootOf(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return ''
  }
}
