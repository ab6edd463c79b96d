import { createServer, IncomingMessage, request as httpRequest, ServerResponse, type Server } from 'node:http'
import { connect as connectHttp2, constants, createServer as createHttp2Server, type Http2Server } from 'node:http2'
import { connect, Socket, type AddressInfo } from 'node:net'
import { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { isTaken, replaceBody, wholeBody } from '../../src/http/request-stream.js'
import { callWithBody, exchangeBytes } from '../support/body-call.js'
import { readers } from '../support/body-apps.js'

const maxBytes = 65_536
const bodies = {
  empty: '',
  small: '{"a":"\u00e4"}',
  'larger than any buffer': JSON.stringify({ a: 'x'.repeat(60_000) }),
}

const servers: (Server | Http2Server)[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  }
})

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>

async function serve(handle: Handler): Promise<string> {
  const server = createServer((request, response) => {
    handle(request, response).then(
      (answer) => response.end(JSON.stringify(answer ?? null)),
      (error: unknown) => response.writeHead(500).end(JSON.stringify(String(error))),
    )
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What the next reader could notice. */
function traces(request: IncomingMessage): unknown {
  const { readableFlowing, readableDidRead, readableEnded, readableEncoding, readable } = request
  const listeners = ['data', 'readable', 'end', 'error'].filter((name) => request.listenerCount(name) > 0)
  const own = Object.hasOwn(request, 'push')
  const disturbed = Readable.isDisturbed(request)
  return { readableFlowing, readableDidRead, readableEnded, readableEncoding, readable, listeners, own, disturbed }
}

const untouched = {
  readableFlowing: null,
  readableDidRead: false,
  readableEnded: false,
  readableEncoding: null,
  readable: true,
  listeners: [],
  own: false,
  disturbed: false,
}

const allReaders: typeof readers = {
  ...readers,
  pipe: (request) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const slow = new Writable({
        highWaterMark: 1024,
        write: (chunk: Buffer, _encoding, done) => {
          chunks.push(chunk)
          setImmediate(done)
        },
      })
      request.pipe(slow)
      slow.on('finish', () => resolve(Buffer.concat(chunks).toString('base64')))
      slow.on('error', reject)
    }),
  setEncoding: (request) =>
    new Promise((resolve) => {
      let text = ''
      request.setEncoding('latin1')
      request.on('data', (chunk: string) => (text += chunk))
      request.on('end', () => resolve(Buffer.from(text, 'latin1').toString('base64')))
    }),
  fetch: async (request) => {
    const init = { method: 'POST', body: request, duplex: 'half' } as unknown as RequestInit
    return Buffer.from(await new Request('http://x/', init).arrayBuffer()).toString('base64')
  },
  'Readable.toWeb': async (request) => {
    const stream = Readable.toWeb(request) as unknown as ReadableStream
    return Buffer.from(await new Response(stream).arrayBuffer()).toString('base64')
  },
  'late on("data")': async (request) => {
    await sleep(5)
    return readers["on('data')"]!(request)
  },
}

const framings = [
  { framing: 'a length', chunked: false, pauseMs: 0 },
  { framing: 'chunks', chunked: true, pauseMs: 0 },
  { framing: 'a length, slowly', chunked: false, pauseMs: 3 },
  { framing: 'chunks, slowly', chunked: true, pauseMs: 3 },
]

/** What may have happened before: nothing, or the body has begun to arrive, or it is there. */
const beforeMs = [undefined, 0, 4, 30]

function pieces(body: string): Uint8Array[] {
  const bytes = Buffer.from(body)
  const third = Math.max(1, Math.ceil(bytes.length / 3))
  return [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)].filter(
    ({ length }) => length > 0,
  )
}

describe.each(Object.entries(allReaders))('a body that is then read by %s', (_name, read) => {
  describe.each(framings)('with $framing', ({ chunked, pauseMs }) => {
    it.each(Object.entries(bodies))('%s: is there whole, and leaves no trace', async (_what, body) => {
      const one = async (delayMs: number | undefined): Promise<void> => {
        const url = await serve(async (request, response) => {
          if (delayMs !== undefined) await sleep(delayMs)
          const bytes = await wholeBody(request, response, maxBytes)
          const trace = traces(request)
          return { bytes: bytes.toString('base64'), trace, taken: isTaken(request), read: await read(request) }
        })
        const expected = Buffer.from(body).toString('base64')
        const { json } = await callWithBody(url, { pieces: pieces(body), chunked, pauseMs })
        expect(json).toEqual({ bytes: expected, trace: untouched, taken: false, read: expected })
      }
      await Promise.all(beforeMs.map(one))
    })

    it.each(Object.entries(bodies))('%s: can be replaced', async (_what, body) => {
      const one = async (delayMs: number | undefined, other: string): Promise<void> => {
        const url = await serve(async (request, response) => {
          if (delayMs !== undefined) await sleep(delayMs)
          await wholeBody(request, response, maxBytes)
          await sleep(1)
          replaceBody(request, Buffer.from('first'))
          await sleep(1)
          replaceBody(request, Buffer.from(other))
          return { trace: traces(request), read: await read(request) }
        })
        const { json } = await callWithBody(url, { pieces: pieces(body), chunked, pauseMs })
        expect(json).toEqual({ trace: untouched, read: Buffer.from(other).toString('base64') })
      }
      const others = ['', 'z', 'y'.repeat(70_000)]
      await Promise.all(others.flatMap((other) => [one(undefined, other), one(30, other)]))
    })
  })
})

describe('the connection', () => {
  const second = 'GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

  it.each([
    ['that is read', true],
    ['that nobody reads', false],
  ])('serves what was sent right behind a body %s', async (_name, isRead) => {
    for (const body of Object.values(bodies)) {
      const url = await serve(async (request, response) => {
        if (request.url === '/second') return 'the second'
        const bytes = await wholeBody(request, response, maxBytes)
        if (isRead) await readers['for await']!(request)
        return bytes.length
      })
      const length = Buffer.byteLength(body)
      const first = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`
      const answers = await exchangeBytes(url, first + second)
      expect(answers).toContain(`\r\n\r\n${length}HTTP/1.1 200`)
      expect(answers).toContain('the second')
    }
  })

  it('waits for those who ask before they send', async () => {
    const url = await serve(async (request, response) => (await wholeBody(request, response, maxBytes)).length)
    const { hostname, port } = new URL(url)
    const headers = { expect: '100-continue', 'content-length': 5 }
    const length = await new Promise((resolve, reject) => {
      const outgoing = httpRequest({ hostname, port, method: 'POST', headers, agent: false }, (response) => {
        response.on('data', (chunk: Buffer) => resolve(String(chunk)))
      })
      outgoing.on('continue', () => outgoing.end('hello'))
      outgoing.on('error', reject)
      outgoing.flushHeaders()
    })
    expect(length).toBe('5')
  })
})

describe('too much', () => {
  it('is told as soon as it is there, and what was read is left', async () => {
    const url = await serve(async (request, response) => {
      const found = await wholeBody(request, response, 10)
      return { found, trace: traces(request), rest: await readers['for await']!(request) }
    })
    for (const { chunked, pauseMs } of framings) {
      const { json } = await callWithBody(url, { pieces: ['1234567', '890ab', 'cdefg'], chunked, pauseMs })
      const rest = Buffer.from('1234567890abcdefg').toString('base64')
      expect(json).toEqual({ found: 'too_large', trace: untouched, rest })
    }
  })

  it('is exactly one byte more', async () => {
    const url = await serve(async (request, response) => (await wholeBody(request, response, 5)).length)
    expect((await callWithBody(url, { pieces: ['12345'], chunked: true })).json).toBe(5)
    expect((await callWithBody(url, { pieces: ['123456'], chunked: true })).json).toBe('too_large'.length)
  })
})

it.each([
  ['a length', 'Content-Length: 100\r\n\r\nhello'],
  ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ['a chunk that is none', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n'],
])('gives up on a caller that hangs up, with %s', async (_name, rest) => {
  let tell: (found: unknown) => void = () => undefined
  const told = new Promise((resolve) => (tell = resolve))
  const url = await serve(async (request, response) => {
    const found = await wholeBody(request, response, maxBytes)
    tell({ found, own: Object.hasOwn(request, 'push') })
  })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${rest}`)
  await sleep(30)
  socket.destroy()
  expect(await told).toEqual({ found: 'unreadable', own: false })
})

it('lets others watch what is pushed, before and meanwhile', async () => {
  const url = await serve(async (request, response) => {
    const seen: string[] = []
    const watch = (name: string): void => {
      const push = request.push.bind(request)
      request.push = (chunk: Buffer | null, encoding) => {
        seen.push(`${name} ${chunk === null ? 'end' : chunk.length}`)
        return push(chunk, encoding)
      }
    }
    watch('before')
    const whole = wholeBody(request, response, maxBytes)
    watch('meanwhile')
    const mine = request.push
    await whole
    expect(request.push).toBe(mine)
    return { seen, read: await readers['for await']!(request) }
  })
  const { json } = await callWithBody(url, { pieces: ['hello'], pauseMs: 20 })
  const seen = ['meanwhile 5', 'before 5', 'meanwhile end', 'before end']
  expect(json).toEqual({ seen, read: Buffer.from('hello').toString('base64') })
})

it('sees that somebody else reads, or has read', async () => {
  const ways: Record<string, (request: IncomingMessage) => unknown> = {
    nobody: () => undefined,
    'a pause': (request) => request.pause(),
    data: (request) => request.on('data', () => undefined),
    readable: (request) => request.on('readable', () => undefined),
    resumed: (request) => request.resume(),
    encoding: (request) => request.setEncoding('utf8'),
    part: (request) => sleep(20).then(() => request.read(1) as unknown),
    all: (request) => readers['for await']!(request),
  }
  for (const [name, begin] of Object.entries(ways)) {
    const url = await serve(async (request) => {
      const begun = begin(request)
      if (name === 'part' || name === 'all') await begun
      return isTaken(request)
    })
    const expected = name !== 'nobody' && name !== 'a pause'
    expect([name, (await callWithBody(url, { pieces: ['hello'] })).json]).toEqual([name, expected])
  }
})

it('works for requests that a program has made, which begin when they are asked', async () => {
  for (const body of ['', 'hello', 'ä']) {
    const request = new IncomingMessage(new Socket())
    request._read = () => {
      if (body !== '') request.push(body)
      request.push(null)
    }
    const bytes = await wholeBody(request, new ServerResponse(request), maxBytes)
    expect(bytes.toString()).toBe(body)
    expect(await readers['for await']!(request)).toBe(Buffer.from(body).toString('base64'))
  }
})

describe('over HTTP/2', () => {
  async function http2Server(handle: Handler) {
    const server = createHttp2Server((request, response) => {
      handle(request as unknown as IncomingMessage, response as unknown as ServerResponse).then(
        (answer) => response.end(JSON.stringify(answer)),
        () => response.stream.close(),
      )
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    session.on('error', () => undefined)
    return { session, close: () => session.destroy() }
  }

  it('is the same', async () => {
    for (const replacement of [undefined, 'z']) {
      const { session, close } = await http2Server(async (request, response) => {
        const bytes = await wholeBody(request, response, maxBytes)
        if (replacement !== undefined) replaceBody(request, Buffer.from(replacement))
        return { length: bytes.length, read: await readers['for await']!(request) }
      })
      for (const body of Object.values(bodies)) {
        const answer = await new Promise<string>((resolve, reject) => {
          const stream = session.request({ ':method': 'POST', ':path': '/' })
          let text = ''
          stream.on('data', (chunk: Buffer) => (text += String(chunk)))
          stream.on('end', () => resolve(text))
          stream.on('error', reject)
          const [first, ...rest] = pieces(body)
          if (first !== undefined) stream.write(first)
          setTimeout(() => {
            for (const piece of rest) stream.write(piece)
            stream.end()
          }, 5)
        })
        const length = Buffer.byteLength(body)
        const read = Buffer.from(replacement ?? body).toString('base64')
        expect(JSON.parse(answer)).toEqual({ length, read })
      }
      close()
    }
  })

  it('ends when the caller gives up', async () => {
    let tell: (found: unknown) => void = () => undefined
    const told = new Promise((resolve) => (tell = resolve))
    const { session, close } = await http2Server(async (request, response) => {
      tell((await wholeBody(request, response, maxBytes)).length)
    })
    const stream = session.request({ ':method': 'POST', ':path': '/' })
    stream.on('error', () => undefined)
    stream.write('hello')
    await sleep(20)
    stream.close(constants.NGHTTP2_CANCEL)
    expect(await told).toBeGreaterThan(0)
    close()
  })
})
