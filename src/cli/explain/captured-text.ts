import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import { CapturedRequest } from '../../http/capture.js'
import { wrongInput } from '../exit-codes.js'

/** Who is to have sent it. */
export interface Sender {
  readonly address: string
  readonly encrypted: boolean
}

/** A request that is only looked at: policies charge, remember and write nothing for it. */
class LookedAt extends CapturedRequest {
  readonly spendsNothing = true as const
}

/**
 * A request out of its text, read by Node's own parser as a server would read it. Line ends may be those of an editor,
 * and `Host` and `Content-Length` may be missing.
 */
export function captureText(text: Buffer, sender: Sender): Promise<CapturedRequest> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => {
      reject(wrongInput('the request is not what HTTP/1.1 has: a request line, header lines, an empty line, a body'))
    }
    // What there is of a body is parsed right behind the head; a policy would wait for the rest for ever.
    const take = (raw: IncomingMessage, response: ServerResponse): void => {
      setImmediate(() => {
        if (raw.complete) resolve(new LookedAt(raw, response, raw.url ?? '/'))
        else
          reject(
            wrongInput('the body of the request is shorter than its Content-Length says, or its last chunk is missing'),
          )
      })
    }
    const refuseTunnel = (): void => {
      reject(wrongInput('CONNECT asks a proxy for a tunnel; no route is ever asked'))
    }
    const server = createServer({ requireHostHeader: false }, take)
    server.on('checkContinue', take).on('checkExpectation', take).on('clientError', refuse).on('connect', refuseTunnel)
    // Node answers by itself what it does not take for a request.
    server.emit('connection', new TextSocket(wireForm(text), sender, refuse))
  })
}

/** A connection on which one request has arrived, and whose answer nobody reads. */
class TextSocket extends Duplex {
  readonly remoteAddress: string
  readonly encrypted: boolean
  readonly #answered: () => void

  constructor(request: Buffer, { address, encrypted }: Sender, answered: () => void) {
    super()
    this.remoteAddress = address
    this.encrypted = encrypted
    this.#answered = answered
    this.push(request)
  }

  override _read(): void {
    // All is there already.
  }

  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    this.#answered()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#answered()
    done(error)
  }
}

const emptyLine = /\r?\n\r?\n/

function wireForm(text: Buffer): Buffer {
  const latin = text.toString('latin1')
  const end = emptyLine.exec(latin)
  const head = end === null ? latin.trimEnd() : latin.slice(0, end.index)
  const body = end === null ? '' : latin.slice(end.index + end[0].length)
  const lines = head.split(/\r?\n/)
  if (!lines.some((line) => /^host:/i.test(line))) lines.push('Host: localhost')
  if (body !== '' && !lines.some((line) => /^(content-length|transfer-encoding):/i.test(line))) {
    lines.push(`Content-Length: ${String(body.length)}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
}
