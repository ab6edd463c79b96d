// One request with a token, of an issuer whose keys are found as the query says: ?discovery or ?jwksUri.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { memoryStore } from 'clientele'
import { clientele } from 'clientele/express'

async function listen(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${server.address().port}` }
}

const asked = []
const issuer = await listen((request, response) => {
  asked.push(request.url)
  response.writeHead(404).end()
})
const keys = import.meta.url.endsWith('?jwksUri') ? { jwksUri: `${issuer.url}/keys` } : {}
const options = { issuer: issuer.url, audience: 'orders', allowInsecureRequests: true, ...keys }
const guard = clientele({ api: 'orders', store: memoryStore(), onDecision() {}, onIssuerEvent() {} }).validateJwt(
  options,
)
const api = await listen((request, response) => guard(request, response, () => response.end()))

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = { iss: issuer.url, aud: 'orders', exp: Date.now() / 1000 + 60 }
const token = `${part({ alg: 'RS256', kid: 'a', typ: 'at+jwt' })}.${part(claims)}.${part('signature')}`
const { status } = await fetch(api.url, { headers: { authorization: `Bearer ${token}` } })
for (const { server } of [issuer, api]) {
  server.close()
  server.closeAllConnections()
}
if (status !== 503 || asked.length === 0) throw new Error(`answered ${status} after asking for ${asked.join(', ')}`)
