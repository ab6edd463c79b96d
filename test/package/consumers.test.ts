import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Consumer } from './support/consumer.js'

describe('the packed package, installed without install scripts', () => {
  let consumer: Consumer
  beforeAll(async () => {
    consumer = await Consumer.make({ packages: ['express', 'koa', '@types/express', '@types/koa', '@types/node'] })
  })
  afterAll(() => {
    consumer.remove()
  })

  it('serves with Express from a store on disk, as ESM', async () => {
    expect(await consumer.run('serve-express.mjs')).toEqual({ code: 0, stdout: '401 200 429\n', stderr: '' })
  })

  it('serves with Koa from a store on disk, as CommonJS, with no warning of Node', async () => {
    expect(await consumer.run('serve-koa.cjs')).toEqual({ code: 0, stdout: '401 200 429\n', stderr: '' })
  })

  it('is one package, whether imported or required, through whichever entries', async () => {
    const { stdout, stderr } = await consumer.run('share.mjs')
    const ways = ['express', 'koa', 'required', 'requiredKoa']
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({
      admissions: Object.fromEntries(ways.map((way) => [way, 'web shop, 1 left'])),
      sameFaults: ways,
    })
  })

  it('is compiled against from ESM and from CommonJS, and what comes out runs', async () => {
    consumer.add('typed-express.mts')
    consumer.add('typed-koa.cts')
    const compilerOptions = { target: 'es2022', module: 'nodenext', strict: true, skipLibCheck: true, outDir: 'out' }
    consumer.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.mts', '*.cts'] }))
    expect(await consumer.tsc('tsconfig.json')).toBe('')
    expect(await consumer.node('out/typed-express.mjs')).toEqual({ code: 0, stdout: '200\n', stderr: '' })
    expect(await consumer.node('out/typed-koa.cjs')).toEqual({ code: 0, stdout: '200\n', stderr: '' })
  })
})
