// An API at the edge: decides on its replica alone. Prints its port and how long the replica took to open; each line
// that it reads is by how many milliseconds its wall clock is set off from there on.
import express from 'express'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { clientele } from '../../../src/adapters/express.js'
import { httpSource } from '../../../src/replica/http-source.js'
import { replicate } from '../../../src/replica/replicate.js'

interface Settings {
  readonly path: string
  readonly feedUrl: string
  readonly sharedKey: string
  readonly maxAgeMs: number
  readonly start: 'flexible' | 'strict'
  readonly clockStepMs: number
}

const { path, feedUrl, sharedKey, clockStepMs, ...terms } = JSON.parse(process.argv[2] ?? '') as Settings
const trueNow = Date.now.bind(Date)
let stepMs = clockStepMs
Date.now = () => trueNow() + stepMs
createInterface({ input: process.stdin }).on('line', (line) => (stepMs = Number(line)))

const begunAt = performance.now()
const from = httpSource({ url: feedUrl, signature: { sharedKey }, allowInsecureRequests: true, timeoutMs: 1000 })
const store = replicate({ from, into: { path }, everyMs: 200, ...terms, onEvent: () => undefined })
const { ready } = store.ready()
const openedMs = performance.now() - begunAt

const { enforceClientId } = clientele({ api: 'orders', store, onDecision: () => undefined })
const app = express()
app.get('/ready', (_req, res) => void res.json(store.ready()))
app.get('/orders', enforceClientId(), (_req, res) => void res.json({}))
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ port, openedMs, ready })}\n`)
})
