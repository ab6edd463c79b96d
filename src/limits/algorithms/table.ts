import type { CounterLimit } from '../counter.js'
import type { Algorithm } from './algorithm.js'
import { fixed } from './fixed.js'

/** Every way to count, by the word that tiers use. */
export const algorithms: Readonly<Record<CounterLimit['algorithm'], Algorithm>> = { fixed }
