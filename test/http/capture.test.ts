import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { CapturedRequest } from '../../src/http/capture.js'
import { requestOf } from '../support/request-of.js'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A request whose caller hangs up after `hangUpMs`, as it was captured. */
async function captured(hangUpMs: number): Promise<{ request: CapturedRequest; response: ServerResponse }> {
  return new Promise((resolve) => {
    const server = createServer((raw, response) => {
      resolve({ request: new CapturedRequest(raw, response, raw.url ?? '/'), response })
    })
    closing.push(() => {
      server.close()
      server.closeAllConnections()
    })
    server.listen(0, '127.0.0.1', () => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
        socket.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n')
        setTimeout(() => socket.destroy(), hangUpMs)
      })
    })
  })
}

describe('the signal of a captured request', () => {
  it('aborts when the caller hangs up', async () => {
    const { request } = await captured(30)
    const { signal } = request
    expect(signal.aborted).toBe(false)
    await sleep(80)
    expect(signal.aborted).toBe(true)
  })

  it('is aborted when it is first looked at after that', async () => {
    const { request } = await captured(10)
    await sleep(80)
    expect(request.signal.aborted).toBe(true)
  })

  it('stays quiet when the answer was complete', async () => {
    const { request, response } = await captured(200)
    const { signal } = request
    response.end('done')
    await sleep(250)
    expect(signal.aborted).toBe(false)
  })
})

describe('a captured request', () => {
  it('keeps every occurrence of a field, in whatever case it came', () => {
    const request = requestOf({
      headers: [
        ['X-A', '1'],
        ['x-a', '2'],
        ['x-ab', '3'],
        ['X-a', ''],
      ],
    })
    expect(request.headerValues('x-a')).toEqual(['1', '2', ''])
    expect(request.headerValues('x-b')).toEqual([])
  })

  it('stays as it arrived when the raw request changes', () => {
    const request = requestOf({ url: '/a?b=1', headers: [['x-a', '1']] })
    request.raw.rawHeaders = []
    request.raw.url = '/'
    request.raw.method = 'DELETE'
    expect([request.headerValues('x-a'), request.url, request.query.get('b'), request.method]).toEqual([
      ['1'],
      '/a?b=1',
      '1',
      'GET',
    ])
  })
})
