import { oneLine } from '../runtime/unseen.js'
import { isObject, parseJsonObject, type JsonObject } from '../tokens/json-object.js'

const mostCharacters = 300

/** What was answered: an object, or a text that is none. */
export interface IssuerAnswer {
  readonly status: number
  readonly json: JsonObject | undefined
  /** The issuer's own words about it, fit for a message: `invalid_redirect_uri: must be https`. */
  readonly words: string
  readonly retryAfterSeconds: number | undefined
}

/** `secrets`: what we sent, which an issuer that repeats its question must not bring into a message. */
export async function readIssuerAnswer(response: Response, secrets: readonly string[]): Promise<IssuerAnswer> {
  const text = await response.text()
  const json = parseJsonObject(text)
  const after = Number(response.headers.get('retry-after') ?? NaN)
  return {
    status: response.status,
    json,
    words: shown(json === undefined ? textWords(text) : jsonWords(json), secrets),
    retryAfterSeconds: Number.isFinite(after) && after > 0 ? Math.min(after, 3600) : undefined,
  }
}

/** RFC 7591 §3.2.2; `errorSummary` of Okta; `error.message` of Microsoft Graph; `message` of many. */
function jsonWords(json: JsonObject): string {
  const { error } = json
  const inner = isObject(error) ? error : json
  const code = [isObject(error) ? error['code'] : error, json['errorCode']].find(isText)
  const said = [json['error_description'], json['errorSummary'], inner['message'], json['detail']].find(isText)
  const causes = Array.isArray(json['errorCauses']) ? (json['errorCauses'] as readonly unknown[]) : []
  const reasons = causes.flatMap((cause) => (isObject(cause) ? [cause['errorSummary']] : [])).filter(isText)
  return [code, said, ...reasons].filter((part) => part !== undefined).join(': ')
}

/** A page of HTML by its title and its first words: the rest is decoration. */
function textWords(text: string): string {
  const title = /<title[^>]{0,200}>([^<]{1,300})</i.exec(text)?.[1]
  if (!/^\s*</.test(text)) return text
  const body = text
    .slice(0, 20_000)
    .replace(/<(script|style|head)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replace(/<[^<>]*>/g, ' ')
  return `a page of HTML: ${[title, body].filter((part) => part !== undefined && part.trim() !== '').join(' - ')}`
}

function shown(words: string, secrets: readonly string[]): string {
  const kept = secrets
    .filter((secret) => secret.length > 3)
    .reduce((text, secret) => text.replaceAll(secret, '[…]'), words)
  const line = oneLine(kept, Infinity).replace(/\s+/g, ' ')
  return line.length > mostCharacters ? `${oneLine(line, mostCharacters)}…` : line
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
