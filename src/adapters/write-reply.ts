import type { ServerResponse } from 'node:http'
import type { HttpReply } from '../http/reply.js'

/** Writes a reply once. An answer that somebody has begun meanwhile (a timeout, say) stays as it is. */
export function writeReply(response: ServerResponse, { status, fields, body }: HttpReply): void {
  if (response.headersSent || response.writableEnded) return
  response.statusCode = status
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(body)
}
