import { createHash } from 'node:crypto'

const notPlain = /[^A-Za-z0-9._~/@-]/g

/**
 * Whom a counter counts: the client of an API. Parts are escaped before they are joined, code unit by code
 * unit, so that no two clients become one subject. A client that gave its ID alone counts apart: a stranger who
 * knows an ID must not spend the quota of those who proved themselves.
 */
export function subjectOf(api: string, clientId: string, authenticated = true): string {
  const subject = `${escape(api)}:${escape(clientId)}`
  return authenticated ? subject : `${subject}:unauthenticated`
}

/**
 * Whom a spike control counts: subjects in one counter with those above, and none of them, because it has two
 * separators more. What does not change from one request to the next is put together once; `whom` is the end of it, so
 * that nothing has to be told from what follows.
 */
export function spikeSubjects(
  api: string,
  name: string,
  by: 'address' | 'client' | 'unauthenticated' | 'route',
): (whom: string) => string {
  const control = `${escape(api)}:${escape(name)}:spikes:${by}:`
  return (whom) => control + whom
}

/** For a subject that cannot be a key as it is. `=` begins every digest, and no subject that is taken as it is. */
export function subjectDigest(subject: string): string {
  return `=${createHash('sha256').update(subject, 'utf16le').digest('hex')}`
}

function escape(part: string): string {
  return part.replace(notPlain, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
