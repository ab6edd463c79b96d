import { connect } from 'node:net'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { settleWhenOver } from '../../src/adapters/settle.js'
import type { Outcome } from '../../src/decisions/policy.js'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(handler: (response: ServerResponse) => void): Promise<number> {
  const server = createServer((_request, response) => {
    handler(response)
  })
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function requestAndHangUp(port: number): void {
  const socket = connect(port, '127.0.0.1', () => {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    setTimeout(() => socket.destroy(), 30)
  })
}

describe('settleWhenOver', () => {
  it('settles once, with status and bytes, when the response is complete', async () => {
    const outcomes: Outcome[] = []
    const port = await serve((response) => {
      const settling = settleWhenOver({ response }, (outcome) => outcomes.push(outcome))
      response.statusCode = 201
      response.end('x'.repeat(1000))
      settling.handlerOver()
    })
    await (await fetch(`http://127.0.0.1:${String(port)}`)).text()
    await sleep(20)
    expect(outcomes).toHaveLength(1)
    expect(outcomes[0]).toMatchObject({ status: 201, aborted: false })
    expect(outcomes[0]?.bytes).toBeGreaterThan(1000)
  })

  it('waits for a handler that goes on after its caller has hung up', async () => {
    const outcomes: Outcome[] = []
    let closed = false
    const port = await serve((response) => {
      settleWhenOver({ response }, (outcome) => outcomes.push(outcome))
      response.once('close', () => {
        closed = true
      })
      setTimeout(() => response.end('too late'), 150)
    })
    requestAndHangUp(port)
    await sleep(100)
    expect({ closed, settled: outcomes.length }).toEqual({ closed: true, settled: 0 })
    await sleep(120)
    expect(outcomes).toEqual([expect.objectContaining({ aborted: true })])
  })

  it('takes the word of a framework that knows when its handler is over', async () => {
    const outcomes: Outcome[] = []
    const port = await serve((response) => {
      const settling = settleWhenOver({ response }, (outcome) => outcomes.push(outcome))
      setTimeout(() => {
        settling.handlerOver()
      }, 100)
    })
    requestAndHangUp(port)
    await sleep(160)
    expect(outcomes).toEqual([expect.objectContaining({ aborted: true })])
  })

  // As Koa pipes a stream: the handler is over long before the response.
  it('waits for nobody when the connection closes after the handler was over', async () => {
    const outcomes: Outcome[] = []
    const port = await serve((response) => {
      const settling = settleWhenOver({ response }, (outcome) => outcomes.push(outcome))
      response.write('the first part')
      settling.handlerOver()
      expect(outcomes).toEqual([])
    })
    requestAndHangUp(port)
    await expect
      .poll(() => outcomes, { timeout: 10_000 })
      .toEqual([expect.objectContaining({ status: 200, aborted: true })])
  })

  it('settles for a caller who hung up while a policy was deciding', async () => {
    const outcomes: Outcome[] = []
    const port = await serve((response) => {
      setTimeout(() => {
        const settling = settleWhenOver({ response }, (outcome) => outcomes.push(outcome))
        settling.handlerOver()
      }, 80)
    })
    requestAndHangUp(port)
    await sleep(140)
    expect(outcomes).toEqual([expect.objectContaining({ aborted: true })])
  })

  it('gives up on a response that nobody ends, after the maximum age', async () => {
    const outcomes: Outcome[] = []
    const port = await serve((response) => {
      settleWhenOver({ response }, (outcome) => outcomes.push(outcome), 60)
    })
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    closing.push(() => socket.destroy())
    await sleep(150)
    expect(outcomes).toEqual([expect.objectContaining({ unfinished: true })])
  })

  it('knows the status of an answer that is still being sent at its maximum age', async () => {
    const outcomes: Outcome[] = []
    const port = await serve((response) => {
      settleWhenOver({ response }, (outcome) => outcomes.push(outcome), 60)
      response.writeHead(401).write('the first part')
    })
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    closing.push(() => socket.destroy())
    await expect.poll(() => outcomes).toEqual([expect.objectContaining({ status: 401 })])
    expect(outcomes[0]?.unfinished).not.toBe(true)
  })

  it('contains what a settlement throws', async () => {
    const warnings: string[] = []
    const listener = (warning: Error): void => void warnings.push(warning.name)
    process.on('warning', listener)
    const port = await serve((response) => {
      settleWhenOver({ response }, () => {
        throw new Error('secret detail')
      })
      response.end('fine')
    })
    expect(await (await fetch(`http://127.0.0.1:${String(port)}`)).text()).toBe('fine')
    await sleep(20)
    process.off('warning', listener)
    expect(warnings).toContain('ClienteleWarning')
  })
})
