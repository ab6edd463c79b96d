import type { ClienteleOptions, DecisionEvent, Outcome, Policy } from 'clientele'
import { afterEach, describe, expect, it } from 'vitest'
import { withHeaders, type Clients } from '../conversations/client-id.js'
import { call, type Answer } from '../support/call.js'
import { frameworks, type App, type Running, type Seen } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'

const running: Running[] = []
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())))

describe.each(frameworks)('$name: a policy that establishes nothing', (framework) => {
  const outcomes: Outcome[] = []
  const events: DecisionEvent[] = []
  const passing: Policy = {
    name: 'passing',
    decide: () => ({ kind: 'passed', fields: { 'X-Passed': 'yes' }, settle: (outcome) => outcomes.push(outcome) }),
  }
  const routes: App['routes'] = {
    'ALL /alone': (on) => [on.enforce(passing)],
    'ALL /before': (on) => [on.enforce(passing), on.enforceClientId()],
    'ALL /after': (on) => [on.enforceClientId(), on.enforce(passing), on.limitBySla()],
    'ALL /unidentified': (on) => [on.enforce(passing), on.limitBySla()],
  }

  async function start(more: Partial<ClienteleOptions> = {}) {
    outcomes.length = events.length = 0
    const { store, clients } = await seededStore()
    const onDecision = (event: DecisionEvent) => events.push(event)
    const server = await framework.start({ api: 'orders', store, onDecision, ...more }, { routes })
    running.push(server)
    const ask = async (path: string, headers = fieldsOf(clients)): Promise<Answer> => {
      const answer = await call(server.url, { path, headers })
      await expect.poll(() => outcomes.length, { timeout: 10_000 }).toBe(1)
      return answer
    }
    return { ask, clients }
  }
  const fieldsOf = ({ approved }: Clients) => withHeaders(approved.clientId, approved.clientSecret) ?? []

  it('lets a request go on without an admission, and sets its fields', async () => {
    const { ask } = await start()
    const answer = await ask('/alone')
    expect([answer.status, answer.headers['x-passed']]).toEqual([200, 'yes'])
    expect((answer.json as Seen).admission).toBeUndefined()
    expect((answer.json as Seen).view).toBeUndefined()
    expect(events).toEqual([{ api: 'orders', policy: 'passing', verdict: 'passed', client: undefined }])
  })

  it('leaves to the policies around it what they establish', async () => {
    for (const path of ['/before', '/after']) {
      const { ask, clients } = await start()
      const answer = await ask(path)
      expect((answer.json as Seen).admission?.client?.id).toBe(clients.approved.id)
      expect(events.find(({ verdict }) => verdict === 'passed')?.client).toBe(
        path === '/after' ? clients.approved.id : undefined,
      )
    }
  })

  it('protects nothing: a limit of the contract behind it alone is a fault', async () => {
    const { ask } = await start()
    const answer = await ask('/unidentified')
    expect(answer.json).toMatchObject({ code: 'ERR_CLIENTELE_NOT_PROTECTED' })
    expect(outcomes).toMatchObject([{ status: 500, refusal: undefined }])
  })

  it('is told how the request ended: why it was turned away too, whatever `answer` made of it', async () => {
    const { ask } = await start({ answer: (_refusal, reply) => ({ ...reply, status: 404 }) })
    expect((await ask('/before', [])).status).toBe(404)
    expect(outcomes).toMatchObject([{ status: 404, aborted: false, refusal: 'credentials_missing' }])
  })

  it('is told the same where the application answers refusals itself', async () => {
    const { ask } = await start({ onRefusal: 'forward' })
    await ask('/before', [
      ['client_id', 'nobody'],
      ['client_secret', 'x'],
    ])
    expect(outcomes).toMatchObject([{ status: 401, refusal: 'client_invalid' }])
  })
})
