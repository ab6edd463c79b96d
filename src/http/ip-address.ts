import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** One object for one address, however it was written: IPv4 also where it stood in IPv6 (RFC 4291 §2.5.5.2). */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

/** A network: an address, and how many of its leading bits belong to it. */
export type IpRange = readonly [address: IpAddress, prefixLength: number]

/**
 * Strict: an address must be written out, as Node judges it. ipaddr.js alone would take `0x7f.1`, `010.0.0.1` and
 * `2130706433` too, which others read as other addresses.
 */
export function parseIp(text: string): IpAddress | undefined {
  const family = isIP(text)
  if (family === 0) return undefined
  if (family === 4) return ipaddr.IPv4.parse(text)
  const ip = ipaddr.IPv6.parse(hexadecimal(withoutZone(text)))
  return ip.isIPv4MappedAddress() ? ip.toIPv4Address() : ip
}

/** A zone (RFC 4007 §11) means something on one machine alone, and anybody may make one up. */
function withoutZone(text: string): string {
  const zone = text.indexOf('%')
  return zone === -1 ? text : text.slice(0, zone)
}

/** Without a dotted end, because ipaddr.js takes `::1.2.3.4` for `::ffff:1.2.3.4`, which is another address. */
function hexadecimal(text: string): string {
  const start = text.lastIndexOf(':') + 1
  if (!text.includes('.', start)) return text
  const [a = 0, b = 0, c = 0, d = 0] = text.slice(start).split('.').map(Number)
  return `${text.slice(0, start)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Not `/0`, which is everybody. */
export function parseRange(text: string): IpRange | undefined {
  const [, base = '', bits] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? []
  const address = parseIp(base)
  if (address === undefined) return undefined
  const width = address.kind() === 'ipv4' ? 32 : 128
  // The prefix of `::ffff:10.0.0.0/104` counts the 96 bits before the IPv4 address too.
  const before = base.includes(':') && width === 32 ? 96 : 0
  const prefixLength = bits === undefined ? width : Number(bits) - before
  return prefixLength >= 1 && prefixLength <= width ? [address, prefixLength] : undefined
}

export function isWithin(address: IpAddress, [base, prefixLength]: IpRange): boolean {
  return address.kind() === base.kind() && address.match(base, prefixLength)
}

/** One text for all addresses of a caller: IPv4 as it is, IPv6 by the network that one subscriber has. */
export function networkOf(address: IpAddress, ipv6PrefixLength: number): string {
  if (!('parts' in address)) return address.toString()
  const parts = address.parts.map((part, index) => part & maskOf(ipv6PrefixLength - index * 16))
  return `${new ipaddr.IPv6(parts).toString()}/${ipv6PrefixLength}`
}

/** The mask for one group of 16 bits of which `bits` belong to the network. */
function maskOf(bits: number): number {
  if (bits >= 16) return 0xffff
  return bits <= 0 ? 0 : (0xffff << (16 - bits)) & 0xffff
}

/** All that is given out of IPv6 (RFC 4291 §2.4, IANA); outside of it are also `::127.0.0.1` and `200::1`. */
const globalUnicast: IpRange = [ipaddr.IPv6.parse('2000::'), 3]
/** Looks public, and is the host of the machine on Azure. */
const azureHost: IpRange = [ipaddr.IPv4.parse('168.63.129.16'), 32]

/**
 * Whether an address is somebody's on the Internet: not of this machine, this network or a special purpose (RFC 6890),
 * nor one that leads back there from IPv6 (NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: IpAddress): boolean {
  if (address.range() !== 'unicast' || isWithin(address, azureHost)) return false
  return address.kind() === 'ipv4' || isWithin(address, globalUnicast)
}
