const maximumLength = 2000
/** Of the machine itself (RFC 8252 §7.3, §8.3): nobody on the way sees the code. */
const loopback = ['127.0.0.1', '[::1]', 'localhost']

/**
 * Why codes and tokens must not be sent to this address; `undefined`: they may. What is refused here never reaches the
 * issuer, whatever that would have made of it (RFC 9700 §2.1, RFC 6749 §3.1.2).
 */
export function redirectUriProblem(text: string): string | undefined {
  // A parser takes out tabs and line ends, so that `java\tscript:` would be another address there than here.
  if (!/^[\x21-\x7e]+$/.test(text) || text.length > maximumLength) {
    return `expected 1 to ${String(maximumLength)} visible ASCII characters`
  }
  if (!URL.canParse(text)) return 'expected an absolute URL'
  const url = new URL(text)
  if (text.includes('#')) return 'expected no fragment'
  if (text.includes('*') || text.includes('\\')) return 'expected neither * nor \\: an address stands for itself alone'
  if (url.username !== '' || url.password !== '') return 'expected neither user nor password'
  return schemeProblem(url)
}

function schemeProblem({ protocol, hostname }: URL): string | undefined {
  if (protocol === 'https:') return undefined
  if (protocol === 'http:') {
    return loopback.includes(hostname) ? undefined : 'expected https:, or http: to 127.0.0.1, [::1] or localhost'
  }
  // A domain in reverse (RFC 8252 §7.1): `javascript:`, `data:`, `file:` and `vbscript:` have no dot.
  return protocol.includes('.') ? undefined : 'expected https:, or a scheme of its own with a dot: com.example.app:/'
}
