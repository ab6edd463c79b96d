import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { memoryStore, revokeTokens, type ContractStore } from 'clientele'
import { contractFeed, httpSource, type ContractFeed } from 'clientele/replica'
import express from 'express'
import express4 from 'express4'
import Koa3 from 'koa'
import Koa2 from 'koa2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { call } from '../support/call.js'
import { selfSigned } from '../support/certificate.js'
import { listenerOf } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'
import { EdgeProcess } from './edge-process.js'
import {
  approved,
  bound,
  feedOf,
  names,
  ownDirectory,
  replica,
  removeContract,
  serve,
  setState,
  sharedKey,
  signature,
  sourceAt,
  storeWith,
} from './replica-support.js'
import { until } from '../support/until.js'

const mounted: Record<string, (feed: ContractFeed) => RequestListener> = {
  'node:http': (feed) => feed,
  'Express 5': (feed) => express().get('/feed', feed),
  'Express 4': (feed) => express4().get('/feed', feed),
  'Koa 3': (feed) => koaApp(new Koa3(), feed),
  'Koa 2': (feed) => koaApp(new Koa2(), feed),
}

function koaApp(app: Koa3, { koa }: ContractFeed): RequestListener {
  app.use(koa)
  return listenerOf(app)
}

describe.each(Object.entries(mounted))('a feed on %s', (_, mount) => {
  it('brings contracts, and what changes, at once', async () => {
    const store = await storeWith(...names(700))
    const { url } = await serve(mount(feedOf(store, { scanEveryMs: 60_000 })))
    const copy = replica({ from: sourceAt(`${url}/feed`), everyMs: 60_000 })
    await until(() => copy.ready().ready)
    expect(copy.ready()).toMatchObject({ records: 2100, held: undefined })
    await setState(store, 'client-699', 'revoked')
    await until(async () => (await copy.findContract('client-699', 'orders'))?.state === 'revoked')
    await removeContract(store, 'client-5')
    await store.commit(approved('naïve'.replace('ï', 'i')))
    await until(() => copy.findContract('naive', 'orders') !== undefined)
    expect(copy.findContract('client-5', 'orders')).toBeUndefined()
    expect((await copy.list({ kind: 'client' })).records).toEqual((await store.list({ kind: 'client' })).records)
    expect(copy.events.filter(({ kind }) => kind === 'failed')).toEqual([])
  })
})

describe('who may read a feed', () => {
  const asked = '/?nonce=n&waitMs=0'

  it.each([
    ['false', () => false, 403],
    ['a promise of false', () => Promise.resolve(false), 403],
    ['what only looks like yes', (() => 'yes') as never, 403],
    [
      'a throw',
      () => {
        throw new Error('the directory is down')
      },
      503,
    ],
    ['a rejection', () => Promise.reject(new Error('the directory is down')), 503],
    ['true', () => true, 200],
    ['a promise of true', () => Promise.resolve(true), 200],
  ])('%s', async (_, authorize, status) => {
    const { url } = await serve(feedOf(await storeWith('one'), { authorize }))
    const answer = await call(url, { path: asked })
    expect(answer.status).toBe(status)
    expect(answer.headers['cache-control']).toBe('no-store')
    if (status !== 200) expect(answer.text).toBe('')
  })

  it('is asked for before anything else, by the request as it is', async () => {
    const seen: unknown[] = []
    const authorize = ({ headers }: { headers: Record<string, unknown> }) => seen.push(headers['x-reader']) === 0
    const { url } = await serve(feedOf(await storeWith('one'), { authorize: authorize }))
    expect((await call(url, { path: '/?nonsense', headers: [['x-reader', 'edge-1']] })).status).toBe(403)
    expect(seen).toEqual(['edge-1'])
  })

  it.each([
    ['//', 400],
    ['//?nonce=n&waitMs=0', 400],
    ['http://[', 400],
    ['http://[?nonce=n&waitMs=0', 400],
  ])('is told so at %s too, where no URL can be made of it', async (path, status) => {
    const store = await storeWith('one')
    const closed = await serve(feedOf(store, { authorize: () => false }))
    expect((await call(closed.url, { path })).status).toBe(403)
    const open = await serve(feedOf(store))
    expect((await call(open.url, { path })).status).toBe(status)
  })

  it.each([
    ['POST', asked, 405],
    ['GET', '/', 400],
    ['GET', '/?nonce=a%0d%0ab&waitMs=0', 400],
    ['GET', `/?nonce=${'n'.repeat(101)}&waitMs=0`, 400],
    ['GET', '/?nonce=n&waitMs=600000', 400],
    ['GET', '/?nonce=n&waitMs=0&epoch=e&sequence=-1', 400],
  ])('%s %s is no question: %i', async (method, path, status) => {
    const { url } = await serve(feedOf(await storeWith('one')))
    expect((await call(url, { method, path })).status).toBe(status)
  })

  it('is told 503 while the store has not been read', async () => {
    const store = await storeWith('one')
    const silent = { ...bound(store), list: () => new Promise<never>(() => undefined) }
    const { url } = await serve(feedOf(silent, { timeoutMs: 100 }))
    const answer = await call(url, { path: asked })
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
  })
})

describe('what goes over the wire', () => {
  it('is signed, and holds what policies need: clients, identities, contracts, revocations, tiers', async () => {
    const store = await storeWith('one')
    await revokeTokens(store, { issuer: 'https://issuer.example', token: 'one', actor: 'test' })
    const { url } = await serve(feedOf(store))
    const { text, headers } = await call(url, { path: '/?nonce=mine&waitMs=0' })
    expect(headers['content-type']).toBe('application/x-ndjson')
    const [header, ...lines] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(header).toMatchObject({ feed: 1, kind: 'snapshot', nonce: 'mine', ageMs: expect.any(Number) })
    expect(lines.map(({ kind, count, signature: signed }) => kind ?? count ?? typeof signed)).toEqual([
      'client',
      'identity',
      'contract',
      'revocation',
      4,
      'string',
    ])
  })

  it('says no more than what has changed to who knows the rest', async () => {
    const store = await storeWith(...names(50))
    const { url } = await serve(feedOf(store))
    const [header] = (await call(url, { path: '/?nonce=n&waitMs=0' })).text.split('\n')
    const { epoch, sequence } = JSON.parse(header ?? '') as { epoch: string; sequence: number }
    await setState(store, 'client-7', 'revoked')
    const { text } = await call(url, { path: `/?nonce=n&waitMs=5000&epoch=${epoch}&sequence=${sequence}` })
    expect(text.split('\n')).toHaveLength(5)
    expect(text).toContain('"state":"revoked"')
    const other = await call(url, { path: `/?nonce=n&waitMs=5000&epoch=other&sequence=${sequence}` })
    expect(other.text.split('\n')).toHaveLength(154)
  })
})

describe('signatures', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const other = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })

  it.each([
    ['a shared key', signature, signature, true],
    ['a key pair', { privateKey }, { publicKey }, true],
    ['none, by both', 'none', 'unverified', true],
    ['one that nobody looks at', signature, 'unverified', true],
    ['another shared key', { sharedKey: `${sharedKey}!` }, signature, false],
    ['another key pair', { privateKey: other.privateKey }, { publicKey }, false],
    ['a shared key where a pair is expected', signature, { publicKey }, false],
    ['none where one is expected', 'none', signature, false],
  ] as const)('%s', async (_, signs, trusts, isGood) => {
    const { url } = await serve(feedOf(await storeWith('one'), { signature: signs }))
    const copy = replica({ from: sourceAt(url, { signature: trusts }) })
    await until(() => copy.events.length > 0)
    expect(copy.ready().ready).toBe(isGood)
    if (!isGood) expect(copy.ready().lastError).toMatchObject({ reason: 'signature' })
  })
})

describe('options', () => {
  it.each<[string, object, RegExp]>([
    ['no authorize', { signature }, /authorize: expected a function/],
    ['no signature', { authorize: () => true }, /signature/],
    ['a short key', { authorize: () => true, signature: { sharedKey: 'short' } }, /32 characters/],
    ['an RSA key', { authorize: () => true, signature: { privateKey: 'x' } }, /Ed25519/],
  ])('of contractFeed(): %s', async (_, options, message) => {
    const store = await storeWith('one')
    expect(() => contractFeed(store, options as never)).toThrow(message)
    expect(() => contractFeed({} as never, { authorize: () => true, signature })).toThrow(/expected a contract store/)
  })

  it.each<[string, object, RegExp]>([
    ['no signature', { url: 'https://feed.example' }, /signature/],
    ['http', { url: 'http://feed.example', signature }, /allowInsecureRequests: true/],
    ['another scheme', { url: 'file:///etc/passwd', signature, allowInsecureRequests: true }, /https/],
    ['credentials', { url: 'https://a:b@feed.example', signature }, /put them into headers/],
  ])('of httpSource(): %s', (_, options, message) => {
    expect(() => httpSource(options as never)).toThrow(message)
  })
})

describe('over https', () => {
  async function serveSecurely(store: ContractStore) {
    const { certificate, privateKey } = selfSigned('feed')
    const server = createServer({ cert: certificate, key: privateKey }, feedOf(store))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate }
  }

  it('is read by a process that is given the authority of its certificate, and by no other', async () => {
    const { store, clients } = await seededStore(memoryStore())
    const { url, certificate } = await serveSecurely(store)
    const path = ownDirectory()
    const authority = `${path}.pem`
    writeFileSync(authority, certificate)
    const trusting = await EdgeProcess.start({ path, feedUrl: url, authority })
    await until(async () => (await trusting.outcome(clients.approved)) === 200)
    expect(await trusting.outcome(clients.revoked)).toBe('contract_revoked')
    const stranger = await EdgeProcess.start({ path: `${path}-other`, feedUrl: url })
    await until(async () => (await stranger.status()).lastError !== undefined)
    expect(await stranger.outcome(clients.approved)).toBe('ERR_CLIENTELE_NOT_READY')
  })

  it('is not read where the certificate is nobody’s', async () => {
    const { url } = await serveSecurely(await storeWith('one'))
    const copy = replica({ from: httpSource({ url, signature }) })
    await until(() => copy.events.length > 0)
    expect(copy.ready().lastError).toMatchObject({ reason: 'unreachable' })
  })

  it('sends along what it is told to', async () => {
    let asked = 0
    const authorize = ({ headers }: IncomingMessage) => headers.authorization === 'Bearer 2'
    const { url } = await serve(feedOf(await storeWith('one'), { authorize }))
    const copy = replica({ from: sourceAt(url, { headers: () => ({ authorization: `Bearer ${++asked}` }) }) })
    await until(() => copy.ready().ready)
    expect(copy.events[0]).toMatchObject({ kind: 'failed', fault: { reason: 'status' } })
    expect(JSON.stringify(copy.events)).not.toContain('Bearer')
  })
})
