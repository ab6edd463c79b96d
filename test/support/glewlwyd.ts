import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OidcClient } from './oidc-provider.js'
import { until } from './until.js'

/** Where it is installed: a folder into which its packages were unpacked, or the system. */
const root = process.env.GLEWLWYD_ROOT ?? '/'
const program = join(root, 'usr/bin/glewlwyd')
const schema = join(root, 'usr/share/dbconfig-common/data/glewlwyd/install/sqlite3')

export const hasGlewlwyd: boolean = process.env.GLEWLWYD_ROOT !== undefined || existsSync(program)

/** One of its plugins: an issuer of its own, whose access tokens are JWTs with the scopes as their `aud`. */
export interface GlewlwydIssuer {
  readonly issuer: string
  readonly introspectionUrl: string
  readonly registrationUrl: string
  /** A token by client_credentials. */
  accessToken(client: OidcClient, scope?: string): Promise<string>
  /** Bears the right to register clients at `registrationUrl`. */
  registrationToken(): Promise<string>
  /** Bears the right to ask about tokens, where a client has no other. */
  introspectionToken(): Promise<string>
  revoke(client: OidcClient, token: string): Promise<void>
}

export interface GlewlwydServer {
  readonly rs256: GlewlwydIssuer
  readonly es256: GlewlwydIssuer
  close(): Promise<void>
}

const manager: OidcClient = { clientId: 'manager', clientSecret: 'manager-secret' }
const registering = 'clients'
const introspecting = 'introspection'
const clientScopes = ['orders:read', 'orders:write']

/** A real authorization server, written in C, in a process of its own on a free port, with SQLite in its own folder. */
export async function startGlewlwyd(clients: readonly OidcClient[]): Promise<GlewlwydServer> {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-glewlwyd-'))
  execFileSync(programOr('sqlite3'), [join(folder, 'data.db')], { input: readFileSync(schema) })
  const { child, port } = await listening(folder)
  const close = async (): Promise<void> => {
    const exit = once(child, 'exit')
    if (child.kill('SIGKILL')) await exit
    rmSync(folder, { recursive: true, force: true })
  }
  const base = `http://127.0.0.1:${port}//api`
  try {
    const admin = await administrator(base)
    for (const name of [...clientScopes, registering, introspecting]) await admin('/scope/', { name })
    for (const client of clients) await admin('/client/', described(client, clientScopes))
    await admin('/client/', described(manager, [registering, introspecting]))
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await admin('/mod/plugin/', plugin(base, 'rsa', rsa))
    await admin('/mod/plugin/', plugin(base, 'ecdsa', elliptic))
    return { rs256: issuerAt(`${base}/rsa`), es256: issuerAt(`${base}/ecdsa`), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Its own, from the folder, or the one that everybody has. */
function programOr(name: string): string {
  const unpacked = join(root, 'usr/bin', name)
  return existsSync(unpacked) ? unpacked : name
}

async function listening(folder: string): Promise<{ child: ChildProcess; port: number }> {
  for (let tries = 0; tries < 5; tries += 1) {
    const port = await freePort()
    const settings = join(folder, 'glewlwyd.conf')
    writeFileSync(settings, settingsText(folder, port))
    const env = { ...process.env, LD_LIBRARY_PATH: libraries() }
    const child = spawn(program, [`--config-file=${settings}`], { cwd: folder, env, stdio: 'ignore' })
    const gone = new AbortController()
    const end = (): void => {
      gone.abort()
    }
    child.on('error', end).on('exit', end)
    await until(async () => gone.signal.aborted || (await answers(port)))
    if (!gone.signal.aborted) return { child, port }
  }
  throw new Error('glewlwyd does not start')
}

function libraries(): string {
  const folder = join(root, 'usr/lib')
  return readdirSync(folder)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(folder, name))
    .join(':')
}

async function freePort(): Promise<number> {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  await new Promise((resolve) => free.close(resolve))
  return port
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/config`)).ok
  } catch {
    return false
  }
}

/** The address ends in a slash, as many have it: its metadata then names URLs with `//api`. */
function settingsText(folder: string, port: number): string {
  const modules = join(root, 'usr/lib/glewlwyd')
  return `
port=${port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:${port}/"
login_url="login.html"
api_prefix="api"
static_files_path="${join(root, 'usr/share/glewlwyd/webapp/')}"
log_mode="file"
log_level="ERROR"
log_file="${join(folder, 'log')}"
cookie_domain="127.0.0.1"
cookie_secure=0
session_expiration=3600
session_key="SESSION"
admin_scope="g_admin"
profile_scope="g_profile"
hash_algorithm="SHA512"
user_module_path="${modules}/user"
user_middleware_module_path="${modules}/user_middleware"
client_module_path="${modules}/client"
user_auth_scheme_module_path="${modules}/scheme"
plugin_module_path="${modules}/plugin"
database = { type = "sqlite3" path = "${join(folder, 'data.db')}" };
`
}

type Administrator = (path: string, body: object) => Promise<void>

/** By the account that its schema comes with. */
async function administrator(base: string): Promise<Administrator> {
  const asJson = { 'content-type': 'application/json' }
  const account = JSON.stringify({ username: 'admin', password: 'password' })
  const entered = await fetch(`${base}/auth/`, { method: 'POST', headers: asJson, body: account })
  const [cookie = ''] = (entered.headers.get('set-cookie') ?? '').split(';')
  return async (path, body) => {
    const headers = { ...asJson, cookie }
    const { status } = await fetch(`${base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (status !== 200) throw new Error(`glewlwyd answers ${status} to ${path}`)
  }
}

function described({ clientId, clientSecret }: OidcClient, scope: readonly string[]): object {
  return {
    client_id: clientId,
    name: clientId,
    confidential: true,
    enabled: true,
    client_secret: clientSecret,
    authorization_type: ['client_credentials'],
    token_endpoint_auth_method: ['client_secret_basic'],
    redirect_uri: [],
    scope,
  }
}

function plugin(base: string, type: string, pair: { privateKey: KeyObject; publicKey: KeyObject }): object {
  const parameters = {
    iss: `${base}/${type}`,
    'jwt-type': type,
    'jwt-key-size': '256',
    key: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    cert: pair.publicKey.export({ format: 'pem', type: 'spki' }),
    'access-token-duration': 600,
    'refresh-token-duration': 600,
    'code-duration': 600,
    'allow-non-oidc': true,
    'auth-type-client-enabled': true,
    'jwks-show': true,
    'allowed-scope': ['openid'],
    'introspection-revocation-allowed': true,
    'introspection-revocation-allow-target-client': true,
    'introspection-revocation-auth-scope': [introspecting],
    'register-client-allowed': true,
    'register-client-auth-scope': [registering],
    'register-client-credentials-scope': clientScopes,
    'register-client-management-allowed': true,
  }
  return { module: 'oidc', name: type, display_name: type, parameters }
}

function issuerAt(issuer: string): GlewlwydIssuer {
  const accessToken = async (client: OidcClient, scope = 'orders:read'): Promise<string> => {
    const answered = await post(`${issuer}/token`, client, { grant_type: 'client_credentials', scope })
    const { access_token: token } = (await answered.json()) as { access_token?: string }
    if (token === undefined) throw new Error(`glewlwyd gave no token: ${answered.status}`)
    return token
  }
  return {
    issuer,
    introspectionUrl: `${issuer}/introspect`,
    registrationUrl: `${issuer}/register`,
    accessToken,
    registrationToken: () => accessToken(manager, registering),
    introspectionToken: () => accessToken(manager, introspecting),
    revoke: async (client, token) => {
      const { status } = await post(`${issuer}/revoke`, client, { token })
      if (status !== 200) throw new Error(`glewlwyd did not revoke: ${status}`)
    },
  }
}

/** It takes ID and secret as they are, where RFC 6749 §2.3.1 has them form-encoded. */
function post(url: string, { clientId, clientSecret }: OidcClient, form: Record<string, string>): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  return fetch(url, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) })
}
