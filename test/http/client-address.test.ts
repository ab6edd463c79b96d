import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { CapturedRequest } from '../../src/http/capture.js'
import { ClientAddress } from '../../src/http/client-address.js'
import { ForwardingWatch } from '../../src/http/forwarding-watch.js'
import type { ProxyOptions } from '../../src/http/trusted-proxies.js'
import { proxyOptionsShape } from '../../src/policies/proxy-options.js'
import { requestOf } from '../support/request-of.js'

type Fields = readonly (readonly [name: string, value: string])[]

function callFrom(remoteAddress: string, headers: Fields = []): CapturedRequest {
  const request = requestOf({ headers })
  Object.defineProperty(request.raw.socket, 'remoteAddress', { value: remoteAddress })
  return request
}

function addressOf(options: ProxyOptions, remoteAddress: string, headers: Fields = [], ipv6PrefixLength = 64): string {
  return new ClientAddress({ ...options, ipv6PrefixLength }).of(callFrom(remoteAddress, headers))
}

const xff = (...values: readonly string[]): Fields => values.map((value) => ['X-Forwarded-For', value])
const none = { trustedProxies: 'none' } as const
const tens = { trustedProxies: ['10.0.0.0/8', '2001:db8:ffff::/48'] }

describe('ClientAddress', () => {
  it.each<[string, ProxyOptions]>([
    ['nobody', none],
    ['others', tens],
  ])('believes no header of a peer when %s are trusted', (_who, options) => {
    const forged: Fields = [...xff('1.1.1.1'), ['Forwarded', 'for=1.1.1.1'], ['X-Real-IP', '1.1.1.1']]
    expect(addressOf(options, '203.0.113.7', forged)).toBe('203.0.113.7')
  })

  it.each<[string, string, string]>([
    ['203.0.113.7', '::ffff:203.0.113.7', '203.0.113.7'],
    ['an IPv6 peer', '2001:db8:1:2:aaaa::1', '2001:db8:1:2::/64'],
    ['another one of the same network', '2001:db8:1:2:bbbb::2', '2001:db8:1:2::/64'],
    ['one with a zone', 'fe80::1%eth0', 'fe80::/64'],
  ])('%s', (_name, peer, expected) => {
    expect(addressOf(none, peer)).toBe(expected)
  })

  it.each<[string, string, string]>([
    ['the one hop', '198.51.100.1', '198.51.100.1'],
    ['the last, not what the caller put before it', '1.1.1.1, 10.9.9.9, 198.51.100.1', '198.51.100.1'],
    ['the first one beyond our proxies', '1.1.1.1, 198.51.100.1, 10.1.1.1, 2001:db8:ffff::9', '198.51.100.1'],
    ['the proxy that named somebody unreadable', '198.51.100.1, junk, 10.1.1.1', '10.1.1.1'],
    ['the peer, when the nearest is unreadable', '198.51.100.1, junk', '10.0.0.1'],
    ['the peer, when nobody is named', '', '10.0.0.1'],
    ['the peer, when an empty one is named', '198.51.100.1,', '10.0.0.1'],
    ['the farthest, when all are ours', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['an address with its port', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv4 in IPv6', '::ffff:198.51.100.1', '198.51.100.1'],
    ['IPv4 in hexadecimal IPv6, with a port', '[::FFFF:c633:6401]:80', '198.51.100.1'],
    ['IPv6 with brackets and a zone', '[2001:DB8:1:2:0:0:0:1%25x]', '2001:db8:1:2::/64'],
    ['the peer, for an octal address', '0306.063.0144.01', '10.0.0.1'],
    ['the peer, for a short address', '198.51.25601', '10.0.0.1'],
    ['a proxy of ours that is written in another way', '198.51.100.1, ::ffff:10.7.7.7', '198.51.100.1'],
  ])('behind proxies of ours: %s', (_name, header, expected) => {
    expect(addressOf(tens, '10.0.0.1', xff(header))).toBe(expected)
    expect(addressOf(tens, '::ffff:10.0.0.1', xff(header))).toBe(expected)
    // Node and some proxies send one field per hop.
    expect(addressOf(tens, '10.0.0.1', xff(...header.split(',')))).toBe(expected)
  })

  it.each<[number, string, string]>([
    [1, '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    [2, '1.1.1.1, 198.51.100.1, 203.0.113.9', '198.51.100.1'],
    [3, '198.51.100.1, 203.0.113.9', '198.51.100.1'],
    [2, '198.51.100.1, junk', '192.0.2.1'],
    [2, 'junk, 203.0.113.9', '203.0.113.9'],
    [1, '', '192.0.2.1'],
  ])('counts %i proxies back in %j', (trustedProxies, header, expected) => {
    expect(addressOf({ trustedProxies }, '192.0.2.1', xff(header))).toBe(expected)
  })

  it('reads the header that the proxies write, and never the other one', () => {
    const both: Fields = [...xff('1.1.1.1'), ['Forwarded', 'for="[2001:db8:5::1]:80";proto=https']]
    expect(addressOf(tens, '10.0.0.1', both)).toBe('1.1.1.1')
    expect(addressOf({ ...tens, forwardingHeader: 'forwarded' }, '10.0.0.1', both)).toBe('2001:db8:5::/64')
    expect(addressOf({ ...tens, forwardingHeader: 'forwarded' }, '10.0.0.1', xff('1.1.1.1'))).toBe('10.0.0.1')
    expect(addressOf(tens, '10.0.0.1', [['Forwarded', 'for=1.1.1.1']])).toBe('10.0.0.1')
  })

  it.each([
    'for=1.1.1.1, for=unknown',
    'for=1.1.1.1, for=_hidden',
    'for=1.1.1.1, proto=https',
    'for="1.1.1.1, for=198.51.100.1',
  ])('takes the peer for a hop that has no address: %j', (header) => {
    expect(addressOf({ ...tens, forwardingHeader: 'forwarded' }, '10.0.0.1', [['Forwarded', header]])).toBe('10.0.0.1')
  })

  // A quote that a caller opens must not swallow what a proxy adds in a field of its own.
  it('reads what a proxy has added beside what a caller broke', () => {
    const headers: Fields = [
      ['Forwarded', 'for="1.1.1.1'],
      ['Forwarded', 'for=198.51.100.1'],
    ]
    expect(addressOf({ ...tens, forwardingHeader: 'forwarded' }, '10.0.0.1', headers)).toBe('198.51.100.1')
  })

  it.each([
    ['loopback', '127.9.9.9', '::1'],
    ['linklocal', '169.254.1.1', 'fe80::1%eth0'],
    ['uniquelocal', '172.16.0.1', 'fd00::1'],
  ])('knows the word %s', (word, four, six) => {
    for (const peer of [four, six, `::ffff:${four}`]) {
      expect(addressOf({ trustedProxies: [word] }, peer, xff('1.1.1.1'))).toBe('1.1.1.1')
      expect(addressOf({ trustedProxies: ['203.0.113.1'] }, peer, xff('1.1.1.1'))).not.toBe('1.1.1.1')
    }
  })

  it('looks at a connection once, and at the header of each request', () => {
    const reader = new ClientAddress({ ...tens, ipv6PrefixLength: 64 })
    const first = callFrom('10.0.0.1', xff('1.1.1.1'))
    expect(reader.of(first)).toBe('1.1.1.1')
    let looks = 0
    Object.defineProperty(first.raw.socket, 'localAddress', { get: () => (looks += 1) })
    const second = requestOf({ headers: xff('2.2.2.2') })
    second.raw.socket = first.raw.socket
    expect(reader.of(second)).toBe('2.2.2.2')
    expect(looks).toBe(0)
  })
})

describe('trustedProxies', () => {
  const schema = z.strictObject(proxyOptionsShape)

  it.each([['none'], [1], [3], [['10.0.0.0/8', '::1', 'unix', 'loopback']]])('can be %j', (trustedProxies) => {
    expect(schema.safeParse({ trustedProxies }).error).toBeUndefined()
  })

  it.each([
    [[]],
    [['10.0.0.0/0']],
    [['::/0']],
    [['proxy.example']],
    [['10.0.0.1:80']],
    [['constructor']],
    [['']],
    [0],
    [1.5],
    [-1],
    [Infinity],
    [NaN],
    [true],
    ['all'],
    ['10.0.0.1'],
    [null],
  ])('cannot be %j', (trustedProxies) => {
    const { error } = schema.safeParse({ trustedProxies })
    expect(error?.issues.map(({ message }) => message).join()).toMatch(/^expected ('none'|an address)/)
  })
})

describe('a peer without an address', () => {
  const closing: (() => void)[] = []
  afterEach(() => {
    for (const close of closing.splice(0)) close()
  })

  /** What is said of a request that really arrived. */
  async function serve(options: ProxyOptions, look: (raw: IncomingMessage) => void = () => undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'clientele-'))
    const reader = new ClientAddress({ ...options, ipv6PrefixLength: 64 })
    const server = createServer((raw, response) => {
      look(raw)
      response.end(reader.of(new CapturedRequest(raw, response, '/')))
    })
    const socketPath = join(folder, 'server.sock')
    await new Promise<void>((resolve) => server.listen(socketPath, resolve))
    closing.push(() => {
      server.close()
      server.closeAllConnections()
      rmSync(folder, { recursive: true })
    })
    return (headers: Record<string, string> = {}): Promise<string> =>
      new Promise((resolve, reject) => {
        httpRequest({ socketPath, headers, agent: false }, (response) => {
          response.on('data', (chunk: Buffer) => resolve(chunk.toString()))
        })
          .on('error', reject)
          .end()
      })
  }
  const forwarded = { 'X-Forwarded-For': '198.51.100.1' }

  it('is one caller on a Unix socket, unless that is trusted by name or by number', async () => {
    expect(await (await serve(none))(forwarded)).toBe('unix')
    expect(await (await serve(tens))(forwarded)).toBe('unix')
    expect(await (await serve({ trustedProxies: ['unix'] }))(forwarded)).toBe('198.51.100.1')
    expect(await (await serve({ trustedProxies: 1 }))(forwarded)).toBe('198.51.100.1')
  })

  it('is nobody known, and no Unix socket, where it has hung up', async () => {
    const ask = await serve({ trustedProxies: ['unix'] }, ({ socket }) => {
      Object.defineProperty(socket, 'localAddress', { value: '127.0.0.1' })
    })
    expect(await ask(forwarded)).toBe('unknown')
    const later = requestOf({ headers: xff('198.51.100.1') })
    later.raw.socket.destroy()
    expect(new ClientAddress({ trustedProxies: ['unix'], ipv6PrefixLength: 64 }).of(later)).toBe('unknown')
  })
})

describe('a forwarding header that nobody expects', () => {
  async function warningsOf(options: ProxyOptions, headers: Fields): Promise<readonly string[]> {
    const warnings: string[] = []
    const listen = ({ message }: Error): void => {
      if (message.includes('trustedProxies')) warnings.push(message)
    }
    process.on('warning', listen)
    const forwardingWatch = new ForwardingWatch('orders', options.trustedProxies)
    for (let index = 0; index < 3; index += 1) {
      const reader = new ClientAddress({ ...options, ipv6PrefixLength: 64, forwardingWatch })
      reader.of(callFrom('10.0.0.1', headers))
    }
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', listen)
    return warnings
  }

  it('is warned of once, until somebody has said which proxies there are', async () => {
    expect(await warningsOf({}, xff('1.1.1.1'))).toHaveLength(1)
    expect(await warningsOf({}, [['Forwarded', 'for=1.1.1.1']])).toHaveLength(1)
    expect(await warningsOf({}, [])).toEqual([])
    expect(await warningsOf(none, xff('1.1.1.1'))).toEqual([])
    expect(await warningsOf({ trustedProxies: 1 }, xff('1.1.1.1'))).toEqual([])
  })

  it('is warned of once when it comes from somebody who is not among the trusted proxies', async () => {
    const others = { trustedProxies: ['192.168.0.0/16'] }
    const warnings = await warningsOf(others, xff('1.1.1.1'))
    expect(warnings).toEqual([expect.stringMatching(/API "orders" came from 10\.0\.0\.1 .* count as one/)])
    expect(warnings[0]).not.toContain('1.1.1.1')
    expect(await warningsOf(others, [])).toEqual([])
    expect(await warningsOf({ trustedProxies: ['10.0.0.0/8'] }, xff('1.1.1.1'))).toEqual([])
  })
})
