import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ContractFeed } from 'clientele/replica'
import { describe, expect, it } from 'vitest'
import { call } from '../support/call.js'
import { feedOf, names, replica, serve, setState, signature, sourceAt, storeWith } from './replica-support.js'
import { until } from '../support/until.js'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A feed that can be made to behave. `honest`: what it would have said. */
async function feedBehind(feed: ContractFeed) {
  let behaviour: Handler = feed
  const seen: string[] = []
  const { url } = await serve((request, response) => {
    seen.push(request.url ?? '')
    behaviour(request, response)
  })
  const honest = await serve(feed)
  return {
    url,
    seen,
    behave: (next: Handler) => (behaviour = next),
    tell: async (request: Pick<IncomingMessage, 'url'>) => (await call(honest.url, { path: request.url ?? '/' })).text,
  }
}

type Behind = Awaited<ReturnType<typeof feedBehind>>

const answering = (work: (request: IncomingMessage) => Promise<string> | string): Handler => {
  return (request, response) => {
    void Promise.resolve(work(request)).then((text) => {
      response.setHeader('content-type', 'application/x-ndjson').end(text)
    })
  }
}

/** What a source may do, how it is called, and (`signed: false`) what only a reader that trusts everybody would see. */
const misbehaviours: Record<string, { reason: string; signed?: boolean; make: (behind: Behind) => Handler }> = {
  hangs: { reason: 'timeout', make: () => () => undefined },
  'hangs after its header': {
    reason: 'timeout',
    make: () => (_, response) => void response.setHeader('content-type', 'application/x-ndjson').write('{"feed":1'),
  },
  drips: {
    reason: 'timeout',
    make: () => (_, response) => {
      response.setHeader('content-type', 'application/x-ndjson')
      const drip = setInterval(() => response.write(' '), 20)
      response.once('close', () => clearInterval(drip))
    },
  },
  'never ends': {
    reason: 'too_large',
    make: () => (_, response) => {
      const flow = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      }
      response.setHeader('content-type', 'application/x-ndjson').on('drain', flow)
      flow()
    },
  },
  'answers HTML': {
    reason: 'answer',
    make: () => (_, response) => void response.setHeader('content-type', 'text/html').end('<html>Log in</html>'),
  },
  'answers HTML by another name': {
    reason: 'answer',
    signed: false,
    make: () => answering(() => '<html>Log in</html>\n'),
  },
  'answers nothing': { reason: 'answer', make: () => answering(() => '') },
  redirects: {
    reason: 'redirected',
    make:
      ({ url }) =>
      (_, response) =>
        void response.writeHead(302, { location: `${url}/elsewhere` }).end(),
  },
  refuses: { reason: 'status', make: () => (_, response) => void response.writeHead(401).end() },
  'has an error': { reason: 'status', make: () => (_, response) => void response.writeHead(500).end('{}') },
  'breaks the connection off': { reason: 'unreachable', make: () => (_, response) => void response.destroy() },
  'is cut off within a line': {
    reason: 'answer',
    make: ({ tell }) => answering(async (request) => (await tell(request)).slice(0, -20)),
  },
  'is cut off between two lines': {
    reason: 'answer',
    make: ({ tell }) => answering(async (request) => (await tell(request)).split('\n').slice(0, 3).join('\n') + '\n'),
  },
  'lies in its count': {
    reason: 'signature',
    make: ({ tell }) => answering(async (request) => (await tell(request)).replace(/"count":\d+/, '"count":2')),
  },
  'lies in its count, unsigned': {
    reason: 'incomplete',
    signed: false,
    make: ({ tell }) => answering(async (request) => (await tell(request)).replace(/"count":\d+/, '"count":2')),
  },
  'lies in its digest, unsigned': {
    reason: 'incomplete',
    signed: false,
    make: ({ tell }) =>
      answering(async (request) => (await tell(request)).replace(/"digest":"[^"]*/, `"digest":"none`)),
  },
  'leaves a record out, unsigned': {
    reason: 'incomplete',
    signed: false,
    make: ({ tell }) => answering(async (request) => (await tell(request)).replace(/\{"kind":"contract".*\n/, '')),
  },
  'makes a contract up': {
    reason: 'signature',
    make: ({ tell }) =>
      answering(async (request) => (await tell(request)).replace('"state":"revoked"', '"state":"approved"')),
  },
  'says it is younger than it is': {
    reason: 'signature',
    make: ({ tell }) => answering(async (request) => (await tell(request)).replace(/"ageMs":[\d.]+/, '"ageMs":0')),
  },
  'writes records that are none, unsigned': {
    reason: 'answer',
    signed: false,
    make: ({ tell }) =>
      answering(async (request) => (await tell(request)).replaceAll('"state":"revoked"', '"state":"admitted"')),
  },
}

describe('a source that', () => {
  it.each(Object.entries(misbehaviours))('%s', async (_, { reason, signed = true, make }) => {
    const store = await storeWith(...names(3))
    await setState(store, 'client-0', 'revoked')
    const behind = await feedBehind(feedOf(store))
    const from = sourceAt(behind.url, {
      timeoutMs: 400,
      maxResponseBytes: 100_000,
      signature: signed ? signature : 'unverified',
    })
    const copy = replica({ from, everyMs: 100 })
    await until(() => copy.ready().ready)
    // The question that waits at the source is answered before the change, so that each answer after it has a record.
    behind.behave((_, response) => void response.destroy())
    await until(() => copy.ready().lastError !== undefined)
    await setState(store, 'client-2', 'revoked')
    behind.behave(make(behind))
    await until(() => copy.ready().lastError?.reason === reason)
    const { ready, records } = copy.ready()
    expect({ ready, records }).toEqual({ ready: true, records: 9 })
    expect(copy.findContract('client-0', 'orders')).toMatchObject({ state: 'revoked' })
    expect(copy.findContract('client-2', 'orders')).toMatchObject({ state: 'approved' })
    expect(behind.seen.filter((path) => path.includes('elsewhere'))).toEqual([])
    behind.behave(
      (request, response) =>
        void behind.tell(request).then((text) => response.setHeader('content-type', 'application/x-ndjson').end(text)),
    )
    await until(() => copy.ready().lastError === undefined)
    await until(async () => (await copy.findContract('client-2', 'orders'))?.state === 'revoked')
  })

  it('has no more to say than before: its age goes on', async () => {
    const store = await storeWith('one')
    const behind = await feedBehind(feedOf(store))
    const copy = replica({ from: sourceAt(behind.url, { timeoutMs: 200 }), everyMs: 100, maxAgeMs: 1500 })
    await until(() => copy.ready().ready)
    behind.behave((_, response) => void response.destroy())
    await until(() => !copy.ready().ready)
    expect(copy.ready().ageMs).toBeGreaterThanOrEqual(1500)
    expect(() => copy.findContract('one', 'orders')).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_STALE' }))
  })
})

describe('an old answer', () => {
  it('is refused: it answers another question', async () => {
    const store = await storeWith(...names(3))
    const behind = await feedBehind(feedOf(store))
    let recorded = ''
    behind.behave(answering(async (request) => (recorded = await behind.tell(request))))
    const copy = replica({ from: sourceAt(behind.url), everyMs: 100, maxAgeMs: 1500 })
    await until(() => copy.ready().ready)
    const approvedThen = recorded
    await setState(store, 'client-0', 'revoked')
    await until(async () => (await copy.findContract('client-0', 'orders'))?.state === 'revoked')
    behind.behave(answering(() => approvedThen))
    await until(() => copy.ready().lastError?.reason === 'replayed')
    expect(copy.findContract('client-0', 'orders')).toMatchObject({ state: 'revoked' })
    await until(() => !copy.ready().ready)
    expect(() => copy.findContract('client-0', 'orders')).toThrow(
      expect.objectContaining({ code: 'ERR_CLIENTELE_STALE' }),
    )
  })

  it('is refused also where nobody signs: in one epoch nothing goes back', async () => {
    const store = await storeWith(...names(3))
    const behind = await feedBehind(feedOf(store, { signature: 'none' }))
    let recorded = ''
    behind.behave(answering(async (request) => (recorded = await behind.tell(request))))
    const copy = replica({ from: sourceAt(behind.url, { signature: 'unverified' }), everyMs: 100 })
    await until(() => copy.ready().ready)
    const approvedThen = recorded
    await setState(store, 'client-0', 'revoked')
    await until(async () => (await copy.findContract('client-0', 'orders'))?.state === 'revoked')
    behind.behave(
      answering((request) => {
        const { nonce, epoch, sequence, waitMs } = queryOf(request)
        const after = epoch === undefined ? null : { epoch, sequence: Number(sequence) }
        const [header = '', ...lines] = approvedThen.split('\n')
        const asked = { nonce, after, waitMs: Number(waitMs) }
        return [JSON.stringify({ ...(JSON.parse(header) as object), ...asked }), ...lines].join('\n')
      }),
    )
    await until(() => copy.ready().lastError?.reason === 'older')
    expect(copy.findContract('client-0', 'orders')).toMatchObject({ state: 'revoked' })
  })
})

const queryOf = (request: IncomingMessage) =>
  Object.fromEntries(new URL(request.url ?? '/', 'http://feed').searchParams) as Record<string, string | undefined>

/** What somebody on the way can make of a question without the key: the feed answers it and signs. */
const otherQuestions: Record<string, (asked: URLSearchParams, newest: { epoch: string; sequence: number }) => void> = {
  'what comes after the change': (asked, { epoch, sequence }) => {
    asked.set('epoch', epoch)
    asked.set('sequence', String(sequence))
    asked.set('waitMs', '0')
  },
  'everything anew': (asked) => asked.delete('epoch'),
  'the same as of another start': (asked) => asked.set('epoch', 'another'),
  'the same, to be answered at another time': (asked) => asked.set('waitMs', String(Number(asked.get('waitMs')) + 1)),
}

describe('a question that is changed on the way', () => {
  it.each(Object.entries(otherQuestions))('into %s is not answered', async (_, change) => {
    const store = await storeWith(...names(20))
    const feed = feedOf(store, { scanEveryMs: 60_000 })
    const behind = await feedBehind(feed)
    const copy = replica({ from: sourceAt(behind.url), everyMs: 100 })
    await until(() => copy.ready().ready)
    behind.behave((_request, response) => void response.destroy())
    await until(() => copy.ready().lastError?.reason === 'unreachable')
    await setState(store, 'client-0', 'revoked')
    behind.behave(
      answering(async (request) => {
        const newest = await behind.tell({ url: '/?nonce=mine&waitMs=0' })
        const asked = new URLSearchParams(queryOf(request) as Record<string, string>)
        change(asked, JSON.parse(newest.split('\n')[0] ?? '') as { epoch: string; sequence: number })
        return behind.tell({ url: `/?${asked.toString()}` })
      }),
    )
    const before = behind.seen.length
    await until(() => behind.seen.length > before + 1)
    await until(() => copy.ready().lastError?.reason === 'replayed')
    behind.behave(feed)
    await until(async () => (await copy.findContract('client-0', 'orders'))?.state === 'revoked')
    expect(copy.ready()).toMatchObject({ ready: true, held: undefined })
  })
})
