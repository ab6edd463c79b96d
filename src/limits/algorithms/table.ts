import type { LimitAlgorithm } from '../../decisions/limit.js'
import type { Algorithm } from './algorithm.js'
import { calendar } from './calendar.js'
import { concurrent } from './concurrent.js'
import { fixed } from './fixed.js'
import { gcra } from './gcra.js'
import { sliding } from './sliding.js'

/** Every way to count, by the word that tiers use. */
export const algorithms: Readonly<Record<LimitAlgorithm, Algorithm>> = { fixed, calendar, sliding, gcra, concurrent }
