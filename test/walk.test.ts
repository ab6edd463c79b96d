import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { expect, it, onTestFinished } from 'vitest'
import { approveContract, defineTier, linkIdentity, registerClient, requestContract, revokeContract } from 'clientele'
import { diskStore } from 'clientele/disk'
import { clientele } from 'clientele/express'
import { mailLifecycle } from 'clientele/notifications'
import { answerOf } from './cli/clientele-process.js'
import { call, type Answer } from './support/call.js'
import { jwtResource, startOidcProvider } from './support/oidc-provider.js'
import { fieldOf, partOf, SmtpProcess, type ReceivedMail } from './support/smtp-process.js'
import { until } from './support/until.js'

const api = 'orders'
const developer = 'dev@example.org'
const admin = 'admin@example.com'
const credentials = { clientId: 'web-shop', clientSecret: 'secret-of-the-web-shop-at-the-provider' }

/** An API on a disk store, whose tokens a provider gives out. */
async function serve(issuer: string) {
  const path = mkdtempSync(join(tmpdir(), 'clientele-walk-'))
  const store = diskStore({ path })
  const { validateJwt, limitBySla, admissionOf } = clientele({ api, store })
  const app = express()
  app.get(
    '/orders',
    validateJwt({ issuer, audience: jwtResource, allowInsecureRequests: true }),
    limitBySla(),
    (request, response) => {
      response.json({ hello: admissionOf(request, 'client').client.name })
    },
  )
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    await store.close()
    rmSync(path, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  const get = (token: string): Promise<Answer> =>
    call(url, { path: '/orders', headers: [['Authorization', `Bearer ${token}`]] })
  return { path, store, get }
}

it('a developer asks, an admin approves, a mail arrives, a token works, the limit bites, and a revocation is felt', async () => {
  const [provider, mailServer] = await Promise.all([startOidcProvider([credentials]), SmtpProcess.start()])
  onTestFinished(() => Promise.all([provider.close(), mailServer.kill()]).then(() => undefined))
  const { path, store, get } = await serve(provider.issuer)
  const mailer = mailLifecycle(store, {
    transport: mailServer.transport(),
    from: { name: 'Orders API', address: 'api@example.com' },
    admins: [admin],
    // Steps of other processes are found by looking, where a hint is lost.
    pollMs: 200,
  })
  onTestFinished(() => mailer.close())
  await mailer.ready()
  const mailTo = async (address: string, subject: RegExp): Promise<ReceivedMail> => {
    const isIt = (mail: ReceivedMail) => mail.to.includes(address) && subject.test(fieldOf(mail, 'subject') ?? '')
    await until(() => mailServer.mails.some(isIt))
    return mailServer.mails.find(isIt) as ReceivedMail
  }
  const limits = [{ requests: 3, windowSeconds: 3600 }]
  await defineTier(store, { api, name: 'gold', approval: 'manual', limits, actor: admin })

  // A developer asks: the client is known at the provider, and has no contract yet.
  const { client } = await registerClient(store, { name: 'Web shop', owner: developer, actor: developer })
  await linkIdentity(store, { client: client.id, issuer: provider.issuer, clientId: 'web-shop', actor: developer })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor: developer })
  const asked = await mailTo(admin, /^To be decided: “Web shop” asks for orders$/)
  const token = await provider.accessToken(credentials, jwtResource)
  expect((await get(token)).json).toMatchObject({ status: 403, code: 'contract_pending' })

  // An admin approves, in a process of their own, by the ID that stands in the mail. Who asked may not.
  await expect(approveContract(store, { client: client.id, api, actor: developer })).rejects.toMatchObject({
    code: 'ERR_CLIENTELE_STATE',
  })
  const [, id = ''] = /ID: (\S+)/.exec(partOf(asked, 'text/plain')) ?? []
  const approved = await answerOf({ store: path }, '--actor', admin, 'contracts', 'approve', id, '--api', api)
  expect(approved).toMatchObject({ state: 'approved', tier: 'gold' })
  const granted = await mailTo(developer, /^Access to orders granted: “Web shop”$/)
  expect(partOf(granted, 'text/plain')).toContain(`By: ${admin.replace('@', '[at]').replace('.', '[.]')}`)

  // The token is good, and the tier's limit bites.
  const fresh = await provider.accessToken(credentials, jwtResource)
  const answers: Answer[] = []
  for (let each = 0; each < 4; each++) answers.push(await get(fresh))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
  expect(answers[0]?.json).toEqual({ hello: 'Web shop' })
  expect(answers[3]?.json).toMatchObject({ code: 'limit_exceeded' })

  // The contract is revoked: whoever asks within a second is refused, token or not.
  await revokeContract(store, { client: client.id, api, actor: admin, reason: 'the walk is over' })
  const revokedAt = performance.now()
  let last = await get(fresh)
  while (last.status !== 403 && performance.now() - revokedAt < 1000) last = await get(fresh)
  expect(last.json).toMatchObject({ status: 403, code: 'contract_revoked' })
  const ended = await mailTo(developer, /^Access to orders ended: “Web shop”$/)
  expect(partOf(ended, 'text/plain')).toContain('Reason: the walk is over')
  // One for each step, and none twice.
  expect(mailServer.mails).toHaveLength(3)
})
