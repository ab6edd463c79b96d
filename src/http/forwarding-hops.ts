/**
 * Which header tells what stood before a proxy: the usual one, or RFC 7239's. Only one is ever read, because a proxy
 * that adds to the one hands the other on as its caller wrote it.
 */
export type ForwardingHeader = 'x-forwarded-for' | 'forwarded'

/** Whom a proxy says it was called by, as text that may be no address; `undefined` where nobody can be read. */
type HopText = string | undefined

/** The hops that a request names, in the order in which they were added: the nearest is the last. */
export function forwardingHops(header: ForwardingHeader, lines: readonly string[]): readonly HopText[] {
  return header === 'forwarded' ? lines.flatMap(forElements) : lines.flatMap((line) => line.split(','))
}

/** One parameter of RFC 7239 §4, if any, and what comes after it. */
const step = /[\t ]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\\r\n]|\\.)*)")[\t ]*)?(;|,|$)/y
const quotedPair = /\\(.)/g

/**
 * The `for` of each element. A line that does not keep to the grammar is one hop that cannot be read: with a quote of
 * his own, somebody could otherwise have what a proxy adds after it taken for text of his.
 */
function forElements(line: string): readonly HopText[] {
  const hops: HopText[] = []
  let hop: HopText
  step.lastIndex = 0
  for (;;) {
    const [, name, token, quoted, separator] = step.exec(line) ?? []
    if (separator === undefined) return [undefined]
    if (name?.toLowerCase() === 'for') {
      // At most once in an element.
      if (hop !== undefined) return [undefined]
      hop = token ?? quoted?.replace(quotedPair, '$1')
    }
    if (separator === ';') continue
    hops.push(hop)
    hop = undefined
    if (separator === '') return hops
  }
}

/** A port is nobody's address, and IPv6 stands in brackets beside one (RFC 7239 §6). */
const node = /^(?:\[([^\]]*:[^\]]*)\]|([0-9.]+))(?::(?:[0-9]{1,5}|_[\w.-]+))?$/

/** The text of an address out of `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:80`. */
export function hostOf(hop: string): string {
  const text = hop.trim()
  const [, ipv6, ipv4] = node.exec(text) ?? []
  return ipv6 ?? ipv4 ?? text
}
