import { gzipSync } from 'node:zlib'
import { headers, payload as payloadSource } from 'clientele'
import { clientele } from 'clientele/express'
import express from 'express'
import {
  captureServer,
  chain,
  rawExchange,
  throughMiddleware,
  type Middleware,
  type RequestTemplate,
} from '../raw-requests.js'
import { measure, type Contender, type Row } from '../rounds.js'
import { api, makeFixtures, type Fixtures } from '../requests/fixtures.js'

/** Few at a time: while many requests with bodies are held ready, each collection of garbage costs more than they do. */
const rounds = { operations: 20, rounds: 800, warmUpRounds: 400 }

/** An order of about a kilobyte, as an API gets it. */
const order = {
  customer: 'Corner Kiosk',
  note: 'Leave it with the neighbour, the bell is broken.',
  lines: Array.from({ length: 12 }, (_, index) => ({
    article: `tea-${index}`,
    pieces: index + 1,
    price: 4.5,
    gift: false,
  })),
}

/** What it costs to look for credentials in a body. It has arrived already: nobody waits for a network. */
export async function payload(): Promise<Row[]> {
  const fixtures = await makeFixtures()
  const server = await captureServer()
  try {
    const { clientId, clientSecret } = fixtures
    const pair = { client_id: clientId, client_secret: clientSecret }
    const inFields = Object.entries(pair).map(([name, value]) => `${name}: ${value}`)
    const template = async (type: string, body: string | Buffer, ...lines: string[]): Promise<RequestTemplate> => {
      const bytes = Buffer.from(body)
      const described = [`Content-Type: ${type}`, `Content-Length: ${bytes.length}`, ...lines]
      return { ...(await server.capture(described)), body: bytes }
    }
    const json = JSON.stringify({ ...order, ...pair })
    const form = new URLSearchParams({ note: order.note.repeat(20), ...pair }).toString()
    const templates = {
      beside: await template('application/json', JSON.stringify(order), ...inFields),
      json: await template('application/json', json),
      form: await template('application/x-www-form-urlencoded', form),
      packed: await template('application/json', gzipSync(json), 'Content-Encoding: gzip'),
    }
    // Unpacking leaves so much memory behind that whoever comes next would pay for it.
    const [plain, packed] = contenders(fixtures, templates)
    return [...(await measure(plain, rounds)), ...(await measure(packed, rounds))]
  } finally {
    server.close()
    fixtures.close()
  }
}

type Templates = Readonly<Record<'beside' | 'json' | 'form' | 'packed', RequestTemplate>>

function contenders(fixtures: Fixtures, { beside, json, form, packed }: Templates): [Contender[], Contender[]] {
  const { enforceClientId } = clientele({ api, store: fixtures.store })
  const withoutSource = enforceClientId({ from: [headers()] })
  const withSource = enforceClientId({ from: [headers(), payloadSource()] })
  const inBody = enforceClientId({ from: [payloadSource()] })
  const parser = express.json() as unknown as Middleware
  const base = 'in fields, payload() not listed'
  const parserAlone = 'express.json() alone'
  const plain = [
    timed(base, withoutSource, beside),
    timed('in fields, payload() listed, a JSON body beside', withSource, beside, [base]),
    timed('in a JSON body', inBody, json, [base]),
    timed('in a form', inBody, form, [base]),
    timed('in a JSON body that express.json() has read', inBody, json, [base], parser),
    timed(parserAlone, parser, json),
    timed('in a JSON body, then express.json()', chain(inBody, parser), json, [parserAlone]),
  ]
  return [plain, [timed('in a JSON body, packed by gzip', inBody, packed)]]
}

/** `before` has run when the clock begins. */
function timed(
  name: string,
  middleware: Middleware,
  template: RequestTemplate,
  comparedTo?: readonly string[],
  before?: Middleware,
): Contender {
  return {
    name,
    ...(comparedTo && { comparedTo }),
    prepare: async (count) => {
      const exchanges = Array.from({ length: count }, () => rawExchange(template))
      if (before !== undefined) await throughMiddleware(before, exchanges)
      return () => throughMiddleware(middleware, exchanges)
    },
  }
}
