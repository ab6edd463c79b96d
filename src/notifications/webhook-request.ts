import { lookup as lookUp } from 'node:dns/promises'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress, parseIp } from '../http/ip-address.js'
import { DeliveryFailure } from './delivery-failure.js'

/** Where messages may go. */
export interface WebhookReach {
  readonly allowHttp: boolean
  readonly allowPrivate: boolean
  readonly resolve: (hostname: string) => Promise<readonly string[]>
  readonly ca: string | undefined
}

export interface WebhookMessage {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}

export async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  return (await lookUp(hostname, { all: true })).map(({ address }) => address)
}

/**
 * Posts, and resolves to the status. A redirect is a status like any other, and of the answer nothing else is read. The
 * name is resolved once, and the connection goes to what was looked at: a name that leads elsewhere a moment later
 * (DNS rebinding) changes nothing.
 */
export async function postWebhook(
  { url, headers, body, signal }: WebhookMessage,
  reach: WebhookReach,
): Promise<number> {
  const target = new URL(url)
  if (target.protocol !== 'https:' && !reach.allowHttp) throw new DeliveryFailure('HTTP_NOT_ALLOWED')
  const addresses = await addressesOf(target, reach)
  signal.throwIfAborted()
  const request = target.protocol === 'https:' ? requestHttps : requestHttp
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)) }
  const ca = reach.ca === undefined ? {} : { ca: reach.ca }
  return new Promise((resolve, reject) => {
    const lookup = answerWith(addresses)
    const posted = request(target, { method: 'POST', agent: false, headers: fields, lookup, signal, ...ca })
    posted.on('error', reject)
    posted.once('response', (response) => {
      resolve(response.statusCode ?? 0)
      // Whatever it says besides may be long, or never end.
      response.on('error', () => undefined).destroy()
    })
    posted.end(body)
  })
}

async function addressesOf({ hostname }: URL, { allowPrivate, resolve }: WebhookReach): Promise<readonly string[]> {
  const literal = hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(literal) === 0 ? await resolve(hostname) : [literal]
  if (addresses.length === 0) throw new DeliveryFailure('ENOTFOUND')
  // All of them: one that is private among public ones is no oversight.
  if (!allowPrivate && !addresses.every(isPublic)) throw new DeliveryFailure('PRIVATE_ADDRESS')
  return addresses
}

function isPublic(text: string): boolean {
  const address = parseIp(text)
  return address !== undefined && isPublicAddress(address)
}

function answerWith(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_hostname, { all: wantsAll }, answer) => {
    const [first] = all
    if (wantsAll === true) answer(null, all)
    else answer(null, first?.address ?? '', first?.family ?? 0)
  }
}
