import { describe, expect, it } from 'vitest'
import { readCompactJwt as read } from '../../src/tokens/jwt/compact-jwt.js'

const part = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')
const header = part('{"alg":"RS256"}')

describe('readCompactJwt', () => {
  it('reads what stands there', () => {
    expect(read(`${header}.${part('{"iss":"a","name":"p\u00e4"}')}.AA`)?.payload).toEqual({ iss: 'a', name: 'p\u00e4' })
  })

  it('takes no bytes that are no UTF-8, which two readers would read as two texts', () => {
    const bytes = Buffer.concat([Buffer.from('{"iss":"a'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')])
    expect(read(`${header}.${part(bytes)}.AA`)).toBeUndefined()
    expect(read(`${part(Buffer.from([0x7b, 0xff, 0x7d]))}.${part('{}')}.AA`)).toBeUndefined()
  })

  it('takes no byte order mark', () => {
    expect(read(`${header}.${part('\ufeff{"iss":"a"}')}.AA`)).toBeUndefined()
  })
})
