import { applications, tiers } from './applications.js'
import type { DemoClient } from './demo-file.js'
import { resources } from './issuer.js'
import type { Settings } from './settings.js'

/** A command to paste into a shell, and what will come back: a status, and what stands in the answer. */
export interface CurlLine {
  readonly title: string
  readonly answer: string
  readonly command: string
}

export interface CurlGroup {
  readonly title: string
  readonly lines: readonly CurlLine[]
}

type Key = keyof typeof applications
type Proof = 'secret' | 'token' | 'none'

/** How an application fares on a call that is otherwise in order. People may have changed its state since it was made. */
function answerTo({ state }: DemoClient, good: string, proof: Proof = 'secret'): string {
  if (state === 'approved') return good
  if (proof === 'none') return '401 client_invalid'
  if (state === 'disabled') return proof === 'token' ? '403 client_disabled' : '401 client_invalid'
  return `403 contract_${state}`
}

export function curlLines({ url, issuer }: Settings, clients: readonly DemoClient[]): readonly CurlGroup[] {
  const find = (key: Key): DemoClient => {
    const client = clients.find(({ name }) => name === applications[key].name)
    if (client === undefined) throw new Error(`the demo has no application ${key}`)
    return client
  }
  return [
    { title: 'Let in', lines: letIn({ url, issuer }, find) },
    { title: 'Turned away', lines: turnedAway({ url, issuer }, find) },
    { title: 'Slowed down', lines: [slowedDown(url, find('bolt'))] },
  ]
}

type Addresses = Pick<Settings, 'url' | 'issuer'>
type Find = (key: Key) => DemoClient

function letIn({ url, issuer }: Addresses, find: Find): readonly CurlLine[] {
  const acme = find('acme')
  const { clientId, clientSecret } = acme
  const hello = answerTo(acme, `200 "hello":"${acme.name}"`)
  const secretInQuery = `client_id=${encodeURIComponent(clientId)}&client_secret=${encodeURIComponent(clientSecret ?? '')}`
  return [
    { title: 'ID and secret in headers', answer: hello, command: `${curl} ${url}/orders ${fields(acme)}` },
    { title: 'in the query', answer: hello, command: `${curl} '${url}/orders?${secretInQuery}'` },
    { title: 'by HTTP Basic', answer: hello, command: `${curl} ${url}/orders ${basic(acme)}` },
    ...inBody(url, acme),
    {
      title: 'a public client, by its ID alone',
      answer: answerTo(find('corner'), '200 "authenticated":false', 'none'),
      command: `${curl} ${url}/catalogue -H 'client_id: ${find('corner').clientId}'`,
    },
    {
      title: 'a JWT of the provider; costs 5',
      answer: answerTo(acme, '201 "ordered":"tea"', 'token'),
      command: `${token(issuer, acme, 'orders', 'orders:write')} ${order(url)}`,
    },
    {
      title: 'an opaque token, introspected',
      answer: answerTo(acme, '200 "by":"token"', 'token'),
      command: `${token(issuer, acme, 'reports', 'reports:read')} ${curl} ${url}/reports ${bearer}`,
    },
    {
      title: 'the same route by client ID',
      answer: answerTo(acme, '200 "by":"client ID"'),
      command: `${curl} ${url}/reports ${fields(acme)}`,
    },
  ]
}

/** The handler names what it has received: the secret is not among it. */
function inBody(url: string, acme: DemoClient): readonly CurlLine[] {
  const { clientId, clientSecret } = acme
  const members = { item: 'tea', client_id: clientId, client_secret: clientSecret }
  const answer = answerTo(acme, '200 "received":["item","client_id"]')
  const asJson = `-H 'Content-Type: application/json' -d '${JSON.stringify(members)}'`
  const asForm = Object.entries(members).map(([name, value]) => `--data-urlencode '${name}=${value ?? ''}'`)
  return [
    { title: 'in a JSON body', answer, command: `${curl} ${url}/quotes ${asJson}` },
    { title: 'in a form', answer, command: `${curl} ${url}/quotes ${asForm.join(' ')}` },
  ]
}

function turnedAway({ url, issuer }: Addresses, find: Find): readonly CurlLine[] {
  const acme = find('acme')
  const contract = (title: string, key: Key): CurlLine => ({
    title,
    answer: answerTo(find(key), '200 "hello"'),
    command: `${curl} ${url}/orders ${fields(find(key))}`,
  })
  return [
    { title: 'nothing to go by', answer: '401 credentials_missing', command: `${curl} ${url}/orders` },
    {
      title: 'a wrong secret',
      answer: '401 client_invalid',
      command: `${curl} ${url}/orders ${fields({ ...acme, clientSecret: 'not-the-secret' })}`,
    },
    contract('a disabled client', 'gull'),
    contract('a pending contract', 'delta'),
    contract('a rejected contract', 'echo'),
    contract('a revoked contract', 'fox'),
    {
      title: 'a token without the scope',
      answer: answerTo(acme, '403 scope_insufficient', 'token'),
      command: `${token(issuer, acme, 'orders', 'orders:read')} ${order(url)}`,
    },
  ]
}

/** As many calls as the smallest limit of the tier lets through, and two more. */
function slowedDown(url: string, bolt: DemoClient): CurlLine {
  const { limits } = tiers.find(({ name }) => name === applications.bolt.tier) ?? { limits: [] }
  const [{ requests, windowSeconds } = { requests: 5, windowSeconds: 10 }] = limits
  const calls = Array.from({ length: requests + 2 }, (_, index) => index + 1)
  const statuses = calls.map((call) => (call > requests ? '429' : answerTo(bolt, '200').slice(0, 3)))
  return {
    title: `${requests} calls in ${windowSeconds} seconds, and two too many`,
    answer: statuses.join(' '),
    command: `for i in ${calls.join(' ')}; do curl -s -o /dev/null -w '%{http_code} ' ${url}/orders ${fields(bolt)}; done; echo`,
  }
}

/** Shows the whole answer, and gives the prompt a line of its own. */
const curl = String.raw`curl -siw '\n'`
const bearer = '-H "Authorization: Bearer $TOKEN"'

function fields({ clientId, clientSecret }: DemoClient): string {
  return `-H 'client_id: ${clientId}' -H 'client_secret: ${clientSecret ?? ''}'`
}

function basic({ clientId, clientSecret }: DemoClient): string {
  return `-u '${clientId}:${clientSecret ?? ''}'`
}

function order(url: string): string {
  return `${curl} ${url}/orders ${bearer} -H 'Content-Type: application/json' -d '{"item":"tea"}'`
}

/** Asks the provider for a token and keeps it in a shell variable. */
function token(issuer: string, client: DemoClient, resource: keyof typeof resources, scope: string): string {
  const form = `-d grant_type=client_credentials -d resource=${resources[resource]} -d scope=${scope}`
  const pick = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`
  return `TOKEN=$(curl -s ${basic(client)} ${form} ${issuer}/token | ${pick});`
}
