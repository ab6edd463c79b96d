import {
  approveContract,
  defineTier,
  linkIdentity,
  memoryCounter,
  memoryReplays,
  memoryStore,
  registerClient,
  requestContract,
  revokeTokens,
  type DecisionEvent,
} from 'clientele'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { answering } from '../support/answering.js'
import { call, type Answer } from '../support/call.js'
import { dpopProof, proofKeys, withProof } from '../support/dpop-proof.js'
import { frameworks, type Framework, type Running } from '../support/frameworks.js'
import { nowSeconds } from '../support/signed-jwt.js'
import { accessToken, attackedIssuer } from '../support/token-attacks.js'
import { until } from '../support/until.js'
import { expectRefusal, type Headers } from './attacked.js'

const actor = 'test'
const api = 'orders'
const publicUrl = 'https://api.example.com'
const target = attackedIssuer('https://issuer.example', 'https://trap.example')
const { issuer } = target
const holder = proofKeys()
const running: Running[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const server of running.splice(0)) await server.close()
})

async function contracts() {
  const store = memoryStore()
  const limits = [{ requests: 1, algorithm: 'concurrent' as const }]
  await defineTier(store, { api, name: 'gold', approval: 'manual', limits, actor })
  const { client } = await registerClient(store, { name: 'one', actor })
  await linkIdentity(store, { client: client.id, issuer, clientId: target.clientId, actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  await approveContract(store, { client: client.id, api, actor, ownRequest: true })
  return store
}

/** One request is served at a time, for as long as it is held; who comes meanwhile waits. */
async function startOn(framework: Framework) {
  const store = await contracts()
  const events: DecisionEvent[] = []
  let handled = 0
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const common = { issuer, audience: target.audience, jwks: { keys: [target.key.jwk] }, strip: 'none' } as const
  const dpop = () => ({ publicUrl, replays: memoryReplays() })
  const server = await framework.start(
    { api, store, counter: memoryCounter(), revocations: 'store', onDecision: (event) => events.push(event) },
    {
      routes: {
        'ALL /': (on) => [
          on.validateJwt({ ...common, dpop: dpop() }),
          on.validateJwt({ ...common, dpop: { ...dpop(), maxAgeSeconds: 30 } }),
          on.throttleBySla({ maxWaitMs: 60_000 }),
          answering(framework, async () => {
            handled += 1
            await held
            return { status: 200 }
          }),
        ],
      },
    },
  )
  running.push(server)
  const send = (fields: Headers): Promise<Answer> => call(server.url, { headers: fields })
  /** Over when one is served, and the other waits. */
  const sendTwo = async (first: Headers, second: Headers): Promise<readonly [Promise<Answer>, Promise<Answer>]> => {
    const admitted = () => events.filter(({ verdict }) => verdict === 'admitted').length
    const served = send(first)
    await until(() => handled === 1)
    const before = admitted()
    const waiting = send(second)
    await until(() => admitted() === before + 2)
    return [served, waiting]
  }
  return { store, send, sendTwo, release, events, handled: () => handled }
}

describe.each(frameworks)('a request with a proof that waits for its turn, on $name', (framework) => {
  const tokenOf = (): string =>
    accessToken(target, { jti: 'one', cnf: { jkt: holder.jkt }, exp: nowSeconds() + 86_400 })
  const proven = (token: string): Headers => withProof(token, dpopProof(holder, { url: `${publicUrl}/`, token }))

  it('is let in, however old the proof has grown meanwhile, and nobody else with it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { send, sendTwo, release, events } = await startOn(framework)
    const token = tokenOf()
    const fields = proven(token)
    const [served, waiting] = await sendTwo(proven(token), fields)
    expectRefusal(await send(fields), 401, 'proof_invalid')
    expect(events.at(-1)).toMatchObject({ reason: 'proof:replayed' })
    vi.setSystemTime(Date.now() + 3_600_000)
    release()
    expect([(await served).status, (await waiting).status]).toEqual([200, 200])
    expectRefusal(await send(fields), 401, 'proof_invalid')
    expect(events.at(-1)).toMatchObject({ reason: 'proof:age' })
  })

  it('is turned away where its token has ended meanwhile', async () => {
    const { store, sendTwo, release, handled } = await startOn(framework)
    const token = tokenOf()
    const [served, waiting] = await sendTwo(proven(token), proven(token))
    await revokeTokens(store, { issuer, token: 'one', actor })
    release()
    expect((await served).status).toBe(200)
    expectRefusal(await waiting, 401, 'token_invalid')
    expect(handled()).toBe(1)
  })
})
