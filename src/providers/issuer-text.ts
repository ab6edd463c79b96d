import { oneLine } from '../runtime/unseen.js'
import { isObject, parseJsonObject, type JsonObject } from '../tokens/json-object.js'

const mostCharacters = 300
/** Of a text that is no JSON. */
const mostRead = 2000

/** What was answered: an object, or a text that is none. */
export interface IssuerAnswer {
  readonly status: number
  readonly json: JsonObject | undefined
  /**
   * The issuer's own words about it, fit for a message: `invalid_redirect_uri: must be https`. Of an answer of success,
   * which may hold secrets wherever it cannot be read, the title of a page at most.
   */
  readonly words: string
  readonly retryAfterSeconds: number | undefined
}

/** `secrets`: what we sent, which an issuer that repeats its question must not bring into a message. */
export async function readIssuerAnswer(response: Response, secrets: readonly string[]): Promise<IssuerAnswer> {
  const text = await response.text()
  const json = parseJsonObject(text)
  const forms = formsOf(secrets)
  const after = Number(response.headers.get('retry-after') ?? NaN)
  return {
    status: response.status,
    json,
    words: shown(
      response.ok ? titleOf(text) : json === undefined ? textWords(without(text, forms)) : jsonWords(json),
      forms,
    ),
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
  if (!isPage(text)) return text.slice(0, mostRead)
  const body = text
    .slice(0, mostRead)
    .replace(/<(script|style|head)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replace(/<[^<>]*>/g, ' ')
    .trim()
  return [titleOf(text), body].filter((part) => part !== '').join(' - ')
}

function titleOf(text: string): string {
  if (!isPage(text)) return ''
  const title = /<title[^<>]{0,200}>([^<]{1,300})</i.exec(text.slice(0, mostRead))?.[1] ?? ''
  return `a page of HTML${title.trim() === '' ? '' : `: ${title}`}`
}

function isPage(text: string): boolean {
  return text.trimStart().startsWith('<')
}

/** As they are, and as a form (RFC 6749 §2.3.1) or an address has them; the longest first, since one may hold another. */
function formsOf(secrets: readonly string[]): readonly string[] {
  const all = secrets.flatMap((secret) => [
    secret,
    // A lone surrogate, at which encodeURIComponent throws, goes out as U+FFFD.
    encodeURIComponent(Buffer.from(secret).toString()),
    new URLSearchParams([['', secret]]).toString().slice(1),
  ])
  return [...new Set(all)].filter((form) => form.length > 3).sort((one, other) => other.length - one.length)
}

function without(text: string, forms: readonly string[]): string {
  return forms.reduce((left, form) => left.replaceAll(form, '[…]'), text)
}

function shown(words: string, forms: readonly string[]): string {
  const kept = without(words, forms)
  const line = oneLine(kept, Infinity).replace(/\s+/g, ' ')
  return line.length > mostCharacters ? `${oneLine(line, mostCharacters)}…` : line
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
