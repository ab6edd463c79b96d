import { limitKey, type Limit } from '../decisions/limit.js'

/** As `--limit` takes it, where it can be said in that way. */
export function limitText(limit: Limit): string {
  return limit.algorithm === 'fixed'
    ? `${String(limit.requests)}/${String(limit.windowSeconds)}s`
    : `${String(limit.requests)} ${limitKey(limit)}`
}
