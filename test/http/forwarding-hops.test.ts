import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forwardingHops, hostOf } from '../../src/http/forwarding-hops.js'

const forwarded = (...lines: readonly string[]) => forwardingHops('forwarded', lines)

describe('forwardingHops', () => {
  it('joins repeated fields in the order in which they came', () => {
    expect(forwardingHops('x-forwarded-for', ['a, b', 'c'])).toEqual(['a', ' b', 'c'])
    expect(forwarded('for=a, for=b', 'for=c')).toEqual(['a', 'b', 'c'])
  })

  it('reads RFC 7239', () => {
    expect(forwarded('for="_gazonk"')).toEqual(['_gazonk'])
    expect(forwarded('For="[2001:db8:cafe::17]:4711"')).toEqual(['[2001:db8:cafe::17]:4711'])
    expect(forwarded('for=192.0.2.60;proto=http;by=203.0.113.43')).toEqual(['192.0.2.60'])
    expect(forwarded('for=192.0.2.43, for=198.51.100.17')).toEqual(['192.0.2.43', '198.51.100.17'])
    expect(forwarded('proto=https ; for="a\\"\\\\b,;c"\t,by=x')).toEqual(['a"\\b,;c', undefined])
    expect(forwarded('')).toEqual([undefined])
    expect(forwarded('for=a;')).toEqual(['a'])
  })

  it.each([
    'for="1.2.3.4, for=5.6.7.8',
    'for=1.2.3.4;for=5.6.7.8',
    'for=1.2.3.4 for=5.6.7.8',
    'for=',
    'for',
    'for =1.2.3.4',
    'for="a"b',
    'for=[2001:db8::1]',
    '=1.2.3.4',
    'for="a\\',
  ])('makes one hop that cannot be read of %j', (line) => {
    expect(forwarded(line, 'for=9.9.9.9')).toEqual([undefined, '9.9.9.9'])
  })

  it('reads back what was written, whatever it is', () => {
    const value = fc.string({ unit: fc.constantFrom(...Array.from('a1.:[]"\\,;= \t')) })
    const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (values) => {
        expect(forwarded(values.map((text) => `by=x;for=${quoted(text)}`).join(', '))).toEqual(values)
      }),
      { numRuns: 2000 },
    )
  })

  it('is quick about a long line of anything', () => {
    const begun = performance.now()
    for (const unit of ['\t', 'a', '"', '\\', 'for=a,', 'for="', ';', 'a=', '\t,', '=']) {
      for (const header of ['forwarded', 'x-forwarded-for'] as const) {
        forwardingHops(header, [unit.repeat(100_000), `for="${unit.repeat(100_000)}`]).forEach((hop) =>
          hostOf(hop ?? ''),
        )
        hostOf(unit.repeat(100_000))
      }
    }
    expect(performance.now() - begun).toBeLessThan(2000)
  })
})

describe('hostOf', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    [' 1.2.3.4\t', '1.2.3.4'],
    ['1.2.3.4:80', '1.2.3.4'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:65535', '2001:db8::1'],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0'],
    ['[2001:db8::1]:_port', '2001:db8::1'],
  ])('of %j is %j', (hop, host) => {
    expect(hostOf(hop)).toBe(host)
  })

  it.each(['[1.2.3.4]', '[2001:db8::1', '2001:db8::1]', '[2001:db8::1]80', '1.2.3.4:', '1.2.3.4:80:80', '1.2.3.4 5'])(
    'leaves %j as it is, which is no address',
    (hop) => {
      expect(hostOf(hop)).toBe(hop)
    },
  )
})
