import { createPrivateKey, createSecretKey, randomUUID, type JsonWebKey, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { MaybePromise } from '../../decisions/maybe-promise.js'

interface WithSecret {
  readonly method: 'basic' | 'post' | 'client_secret_jwt'
  readonly clientId: string
  readonly clientSecret: string
}

interface WithPrivateKey {
  readonly method: 'private_key_jwt'
  readonly clientId: string
  /** As PEM or JWK. */
  readonly privateKey: string | object
  readonly kid: string | undefined
  readonly algorithm: string | undefined
}

interface WithCertificate {
  readonly method: 'mutual_tls'
  readonly clientId: string
  readonly certificate: string
  readonly privateKey: string
  readonly ca: string | undefined
}

interface WithHeader {
  readonly method: 'header'
  readonly name: string
  readonly value: string
}

/** Who we are to the authorization server that is asked. */
export type IntrospectionClient =
  WithSecret | WithPrivateKey | WithCertificate | WithHeader | { readonly method: 'none' }

/** A request on its way, to which a client adds who it is. */
export interface AuthenticatedRequest {
  readonly headers: Record<string, string>
  readonly form: URLSearchParams
}

export type Authenticate = (request: AuthenticatedRequest) => MaybePromise<void>

/** Adds what proves who we are (RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2). */
export function clientAuthentication(client: IntrospectionClient, issuer: string): Authenticate {
  switch (client.method) {
    case 'basic':
      return basic(client)
    case 'post':
      return ({ form }) => {
        form.set('client_id', client.clientId)
        form.set('client_secret', client.clientSecret)
      }
    case 'client_secret_jwt':
      return assertion(client.clientId, issuer, createSecretKey(Buffer.from(client.clientSecret)), { alg: 'HS256' })
    case 'private_key_jwt': {
      const key = readPrivateKey(client.privateKey)
      const alg = client.algorithm ?? algorithmFor(key) ?? ''
      return assertion(client.clientId, issuer, key, { alg, ...(client.kid !== undefined && { kid: client.kid }) })
    }
    case 'mutual_tls':
      // The certificate is in the handshake; this says whose it is.
      return ({ form }) => {
        form.set('client_id', client.clientId)
      }
    case 'header':
      return ({ headers }) => {
        headers[client.name.toLowerCase()] = client.value
      }
    case 'none':
      return () => undefined
  }
}

/** As little form encoding as RFC 6749 §2.3.1 allows: servers that do not decode then know most clients all the same. */
function basic({ clientId, clientSecret }: WithSecret): Authenticate {
  const encoded = Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`).toString('base64')
  return ({ headers }) => {
    headers['authorization'] = `Basic ${encoded}`
  }
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

const assertionSeconds = 60

/** A new one each time: servers remember the `jti`. Its audience is the issuer, which no other server calls itself. */
function assertion(
  clientId: string,
  issuer: string,
  key: KeyObject,
  header: { alg: string; kid?: string },
): Authenticate {
  return async ({ form }) => {
    const signed = await new SignJWT()
      .setProtectedHeader(header)
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${assertionSeconds} s`)
      .sign(key)
    form.set('client_id', clientId)
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    form.set('client_assertion', signed)
  }
}

/** Throws what `node:crypto` does where it is no private key. */
export function readPrivateKey(key: string | object): KeyObject {
  return typeof key === 'string' ? createPrivateKey(key) : createPrivateKey({ key: key as JsonWebKey, format: 'jwk' })
}

const curveAlgorithms: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}

/** What a key signs with, where nobody says it. */
export function algorithmFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'rsa') return 'RS256'
  if (asymmetricKeyType === 'ed25519') return 'EdDSA'
  return curveAlgorithms[asymmetricKeyDetails?.namedCurve ?? '']
}
