import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isWithin, networkOf, parseIp, parseRange } from '../../src/http/ip-address.js'

const octet = fc.integer({ min: 0, max: 255 })
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'))
/** Groups with many zeros, so that `::` is written often. */
const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }))
const groups = fc.array(group, { minLength: 8, maxLength: 8 })
const word = fc.constantFrom('upper', 'padded', 'compressed', 'dotted', 'zone')
const written = fc.tuple(groups, fc.uniqueArray(word)).map(([parts, styles]) => write(parts, new Set(styles)))

/** One of the many ways to write an IPv6 address (RFC 4291 §2.2). */
function write(parts: readonly number[], styles: ReadonlySet<string>): string {
  const last = parts.slice(6).flatMap((part) => [part >> 8, part & 255])
  const dotted = styles.has('dotted')
  const hex = (dotted ? parts.slice(0, 6) : parts).map((part) =>
    part.toString(16).padStart(styles.has('padded') ? 4 : 1, '0'),
  )
  const whole = [...hex, ...(dotted ? [last.join('.')] : [])].join(':')
  const short = styles.has('compressed') ? whole.replace(/(^|:)0+(:0+)+(?=:|$)/, '$1:').replace(/:{3,}/, '::') : whole
  const text = `${short.endsWith(':') && !short.endsWith('::') ? `${short}:` : short}${styles.has('zone') ? '%eth0' : ''}`
  return styles.has('upper') ? text.toUpperCase() : text
}

/** What the URL parser of the platform makes of it: one text per address. */
function canonical(text: string): string {
  const bare = text.replace(/%.*/, '')
  const { hostname } = new URL(bare.includes(':') ? `http://[${bare}]` : `http://${bare}`)
  const mapped = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(hostname)
  if (mapped === null) return hostname.replace(/[[\]]/g, '')
  const [high = 0, low = 0] = mapped.slice(1).map((part) => parseInt(part, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

const wholeOf = (text: string): string | undefined => {
  const ip = parseIp(text)
  return ip && networkOf(ip, 128).replace('/128', '')
}

describe('parseIp', () => {
  it('makes one address of every way to write it', () => {
    const address = '203.0.113.7'
    const forms = [address, `::ffff:${address}`, '::FFFF:203.0.113.7', '::ffff:cb00:7107', '0:0:0:0:0:ffff:cb00:7107']
    expect(forms.map(wholeOf)).toEqual(forms.map(() => address))
    const six = ['2001:db8::1', '2001:DB8:0:0::1', '2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::0.0.0.1%eth0']
    expect(six.map(wholeOf)).toEqual(six.map(() => '2001:db8::1'))
  })

  it('agrees with the platform on every address', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, written), (text) => {
        fc.pre(isIP(text) !== 0)
        expect(canonical(wholeOf(text) ?? 'none')).toBe(canonical(text))
      }),
      { numRuns: 3000 },
    )
  })

  it('takes no address that is not written out, and throws at nothing', () => {
    const odd = ['', ' ', '1.2.3', '0x7f.0.0.1', '010.0.0.1', '2130706433', '127.1', '1.2.3.4 ', '1.2.3.4:80', '[::1]']
    const worse = ['::1::', '1:2:3', 'localhost', 'unknown', '::ffff:256.1.1.1', ':::', '1.2.3.4/8', '%eth0', '::1%']
    expect([...odd, ...worse].map((text) => [text, parseIp(text)])).toEqual(
      [...odd, ...worse].map((text) => [text, undefined]),
    )
    const text = fc.oneof(fc.string({ unit: fc.constantFrom(...Array.from(':.%0f1[]/')) }), fc.string())
    fc.assert(fc.property(text, (any) => void parseIp(any)))
  })

  // ipaddr.js by itself takes the one for the other.
  it('tells the IPv4-compatible ::1.2.3.4 from the IPv4-mapped ::ffff:1.2.3.4', () => {
    expect([wholeOf('::1.2.3.4'), wholeOf('::ffff:1.2.3.4')]).toEqual(['::102:304', '1.2.3.4'])
  })
})

describe('networkOf', () => {
  it('is the whole of an IPv4 address and the prefix of an IPv6 address', () => {
    const of = (text: string, length: number): string => networkOf(parseIp(text)!, length)
    expect(of('203.0.113.7', 64)).toBe('203.0.113.7')
    expect(of('2001:db8:1:2:3:4:5:6', 64)).toBe('2001:db8:1:2::/64')
    expect(of('2001:db8:1:2ff:3:4:5:6', 56)).toBe('2001:db8:1:200::/56')
    expect(of('2001:db8:1:2::', 48)).toBe('2001:db8:1::/48')
    expect(of('2001:db8::ff', 128)).toBe('2001:db8::ff/128')
  })

  it('joins two addresses if, and only if, they have the prefix in common', () => {
    const length = fc.integer({ min: 32, max: 128 })
    fc.assert(
      fc.property(groups, groups, length, fc.integer({ min: 0, max: 8 }), (a, other, prefix, shared) => {
        const b = [...a.slice(0, shared), ...other.slice(shared)]
        const [first, second] = [a, b].map((parts) => parseIp(write(parts, new Set()))!)
        fc.pre(first?.kind() === 'ipv6' && second?.kind() === 'ipv6')
        expect(networkOf(first, prefix) === networkOf(second, prefix)).toBe(
          bitsOf(a).slice(0, prefix) === bitsOf(b).slice(0, prefix),
        )
      }),
      { numRuns: 2000 },
    )
  })
})

const bitsOf = (parts: readonly number[]): string => parts.map((part) => part.toString(2).padStart(16, '0')).join('')

describe('parseRange and isWithin', () => {
  it('agree with the block list of the platform', () => {
    const range4 = fc.tuple(ipv4, fc.integer({ min: 1, max: 32 }), fc.constant('ipv4' as const))
    const range6 = fc.tuple(
      groups.map((parts) => write(parts, new Set())),
      fc.integer({ min: 1, max: 128 }),
      fc.constant('ipv6' as const),
    )
    fc.assert(
      fc.property(fc.oneof(range4, range6), fc.oneof(ipv4, written), octet, ([base, bits, family], other, cut) => {
        fc.pre(isIP(other) !== 0 && parseIp(base)?.kind() === family && parseIp(other) !== undefined)
        const judge = new BlockList()
        judge.addSubnet(base, bits, family)
        // Half of the time something near the base, which chance would not find.
        const address = cut % 2 === 0 ? base.replace(/[0-9a-f]$/, '1') : other.replace(/%.*/, '')
        fc.pre(isIP(address) !== 0 && !canonical(address).includes('.') === (family === 'ipv6'))
        const range = parseRange(`${base}/${bits}`)!
        const plain = canonical(address)
        expect(isWithin(parseIp(address)!, range)).toBe(judge.check(plain, plain.includes('.') ? 'ipv4' : 'ipv6'))
      }),
      { numRuns: 3000 },
    )
  })

  it('never joins IPv4 and IPv6, but for addresses that are one', () => {
    const within = (text: string, range: string): boolean => isWithin(parseIp(text)!, parseRange(range)!)
    expect(within('::ffff:10.1.2.3', '10.0.0.0/8')).toBe(true)
    expect(within('10.1.2.3', '::ffff:10.0.0.0/104')).toBe(true)
    expect(within('11.1.2.3', '::ffff:10.0.0.0/104')).toBe(false)
    expect(within('::10.1.2.3', '10.0.0.0/8')).toBe(false)
    expect(within('10.1.2.3', '2000::/3')).toBe(false)
    expect(within('10.1.2.3', '10.1.2.3')).toBe(true)
  })

  it.each(['', '10.0.0.0/0', '::/0', '10.0.0.0/33', '::1/129', '10.0.0.0/', '10/8', '10.0.0.0/8/8', '10.0.0.0/-1'])(
    'takes no %j',
    (text) => {
      expect(parseRange(text)).toBeUndefined()
    },
  )

  it.each(['::ffff:0:0/95', '::ffff:10.0.0.0/96', '10.0.0.0/1e1', '10.0.0.0/255.0.0.0', ' 10.0.0.0/8'])(
    'takes no %j either',
    (text) => {
      expect(parseRange(text)).toBeUndefined()
    },
  )
})
