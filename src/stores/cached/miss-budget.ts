import { ClienteleFault } from '../../decisions/faults.js'
import { TokenBucket } from '../../runtime/token-bucket.js'

/** Look-ups of what may not exist: so many at once, and so many more with each second. */
export function missBudget(perSecond: number): TokenBucket {
  return new TokenBucket(perSecond, 1000 / perSecond)
}

export function tooManyMisses(): ClienteleFault {
  const message = 'More unknown clients were asked about than missesPerSecond allows.'
  return new ClienteleFault('ERR_CLIENTELE_BUSY', message, { retryAfterSeconds: 1 })
}
