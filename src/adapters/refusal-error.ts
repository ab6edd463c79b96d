import { refusals, type Refusal } from '../decisions/refusals.js'
import type { HttpReply } from '../http/reply.js'

/**
 * A refusal on its way to the application's own error handler (`onRefusal: 'forward'`). `status` and `headers`
 * are what Express and Koa look for; `reply` is what would have been sent.
 */
export class RefusalError extends Error {
  override readonly name = 'RefusalError'
  readonly code: Refusal['code']
  readonly status: number
  readonly statusCode: number
  readonly expose = true
  readonly headers: Record<string, string | string[]>
  readonly refusal: Refusal
  readonly reply: HttpReply

  constructor(refusal: Refusal, reply: HttpReply) {
    super(refusals[refusal.code].title)
    this.code = refusal.code
    this.status = reply.status
    this.statusCode = reply.status
    // Whoever answers chooses the media type.
    this.headers = Object.fromEntries(
      Object.entries(reply.fields)
        .filter(([name]) => name !== 'Content-Type')
        .map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
    )
    this.refusal = refusal
    this.reply = reply
  }
}
