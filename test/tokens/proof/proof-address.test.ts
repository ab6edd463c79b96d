import { describe, expect, it } from 'vitest'
import { normalAddress, requestAddress } from '../../../src/tokens/proof/proof-address.js'

describe('normalAddress', () => {
  it.each([
    ['https://api.example.com', 'https://api.example.com/'],
    ['HTTPS://API.Example.COM/', 'https://api.example.com/'],
    ['https://api.example.com:443/a', 'https://api.example.com/a'],
    ['http://api.example.com:80/a', 'http://api.example.com/a'],
    ['https://api.example.com/a?b=c#d', 'https://api.example.com/a'],
    ['https://api.example.com/a/./b/../c', 'https://api.example.com/a/c'],
    ['https://api.example.com/%7euser', 'https://api.example.com/~user'],
    ['https://api.example.com/%2fa', 'https://api.example.com/%2Fa'],
    ['https://api.example.com/%41', 'https://api.example.com/A'],
    ['https://api.example.com//a', 'https://api.example.com//a'],
  ])('%s is %s', (address, normal) => {
    expect(normalAddress(address)).toBe(normal)
  })

  it.each([
    ['https://api.example.com/A', 'https://api.example.com/a'],
    ['https://api.example.com/a/', 'https://api.example.com/a'],
    ['https://api.example.com/a%2fb', 'https://api.example.com/a/b'],
    ['https://api.example.com:8443/a', 'https://api.example.com/a'],
    ['https://api.example.com//a', 'https://api.example.com/a'],
  ])('%s is not %s', (one, other) => {
    expect(normalAddress(one)).not.toBe(normalAddress(other))
  })

  it.each([
    '',
    '/a',
    'api.example.com/a',
    'ftp://api.example.com/a',
    'https://user@api.example.com/a',
    'https://api.example.com\\a',
    'https://api.example.com/a b',
    'https://api.example.com/a\n',
    'https://api.example.com/ü',
    'https://',
    'https://[::1',
  ])('%j is none', (address) => {
    expect(normalAddress(address)).toBeUndefined()
  })
})

describe('requestAddress', () => {
  it.each([
    ['/orders?x=1', 'https://api.example.com/v1/orders'],
    ['//evil.example/orders', 'https://api.example.com/v1//evil.example/orders'],
    ['http://evil.example/orders', 'https://api.example.com/v1/orders'],
    ['/', 'https://api.example.com/v1/'],
    ['*', undefined],
    ['orders', undefined],
    ['/a\\b', undefined],
    ['/orders/1/../2', undefined],
    ['/orders/1/%2e%2e/%2E%2e', undefined],
    ['/orders/.%2e', undefined],
    ['/./orders', undefined],
    ['/%2e', undefined],
    ['http://evil.example/../orders', undefined],
    ['/orders/.../..a/.hidden/%2e%2e%2e?x=/../', 'https://api.example.com/v1/orders/.../..a/.hidden/...'],
  ])('%s is %s', (target, address) => {
    expect(requestAddress('https://api.example.com/v1', target)).toBe(address)
  })
})
