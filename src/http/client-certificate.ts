import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { HttpRequest } from '../decisions/http-request.js'
import { hopOf } from './client-address.js'
import { proxyTrust } from './trusted-proxies.js'

/** How a proxy writes a certificate: RFC 9440, PEM that may be percent-encoded, or the base64 of PEM alone. */
export type CertificateFormat = 'rfc9440' | 'pem' | 'base64'

/**
 * The SHA-256 of a caller's certificate in base64url (RFC 8705 §3.1); `none` where he has none, `unreadable` for what is
 * no certificate. Neither could be a thumbprint.
 */
export type CertificateThumbprint = string

/** The certificate of the connection itself, which the handshake has shown to be the caller's. */
export function tlsCertificate(): (request: HttpRequest) => CertificateThumbprint {
  // A connection has one certificate: it is looked for once.
  const known = new WeakMap<object, string>()
  return ({ raw }) => {
    const socket = (raw as IncomingMessage).socket as Partial<TLSSocket>
    const before = known.get(socket)
    if (before !== undefined) return before
    // Whoever is trusted to sign it does not matter: the token names this very certificate (RFC 8705 §6.2).
    const certificate = socket.getPeerX509Certificate?.()
    if (certificate === undefined) return 'none'
    const thumbprint = thumbprintOf(certificate.raw)
    known.set(socket, thumbprint)
    return thumbprint
  }
}

/**
 * The certificate that a proxy has seen, for whoever ends TLS before this process. Only what comes from the address of
 * a proxy is read: from others the field is a claim of the caller's own, and passed over.
 */
export function proxiedCertificate(
  header: string,
  format: CertificateFormat,
  proxies: readonly string[],
): (request: HttpRequest) => CertificateThumbprint {
  const trusts = proxyTrust(proxies)
  const name = header.toLowerCase()
  const known = new WeakMap<object, boolean>()
  return (request) => {
    const { socket } = request.raw as IncomingMessage
    let isProxy = known.get(socket)
    if (isProxy === undefined) {
      isProxy = trusts(hopOf(socket), 0)
      known.set(socket, isProxy)
    }
    if (!isProxy) return 'none'
    const values = request.headerValues(name)
    const [value = ''] = values
    if (value === '') return 'none'
    const certificate = values.length > 1 ? undefined : readers[format](value)
    return certificate === undefined ? 'unreadable' : thumbprintOf(certificate)
  }
}

function thumbprintOf(certificate: Uint8Array): string {
  return hash('sha256', certificate, 'base64url')
}

const byteSequence = /^:([A-Za-z\d+/]+={0,2}):$/
const base64 = /^[A-Za-z\d+/]+={0,2}$/
const onePem = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z\d+/=\s]+)-----END CERTIFICATE-----\s*$/

/** The one certificate that stands there; `undefined` for anything else. */
const readers: Readonly<Record<CertificateFormat, (value: string) => Buffer | undefined>> = {
  rfc9440: (value) => decoded(byteSequence.exec(value)?.[1]),
  pem: (value) => decoded(onePem.exec(unescaped(value))?.[1]?.replace(/\s/g, '')),
  base64: (value) => decoded(value),
}

function decoded(text: string | undefined): Buffer | undefined {
  return text !== undefined && base64.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** A field holds no line ends: some proxies escape them, others put spaces in their place. */
function unescaped(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return ''
  }
}
