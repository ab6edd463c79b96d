import type { BodyPath } from '../decisions/http-request.js'

/** How a path is written in a form: `auth[clientId]`, which is how parsers write members of members. */
export function fieldNameOf([first = '', ...steps]: BodyPath): string {
  return first + steps.map((step) => `[${step}]`).join('')
}

/** The text of a field: none, one, or `undefined` where it is anything else. See `BodyContent`. */
export function formTextAt(text: string, path: BodyPath): readonly string[] | undefined {
  const field = fieldOf(path)
  const found: string[] = []
  for (const pair of pairsOf(text)) {
    const likeness = likenessOf(pair, field)
    if (likeness === 'other') continue
    const value = likeness === 'same' && found.length === 0 ? valueOf(pair) : undefined
    if (value === undefined) return undefined
    found.push(value)
  }
  return found
}

/** Without the field of a path. Every other byte stays. */
export function withoutFormField(text: string, path: BodyPath): string {
  const field = fieldOf(path)
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : ''
  return (
    mark +
    pairsOf(text)
      .filter((pair) => likenessOf(pair, field) === 'other')
      .join('&')
  )
}

const byteOrderMark = '\ufeff'

/** Parsers strip a byte order mark. */
function pairsOf(text: string): readonly string[] {
  return (text.startsWith(byteOrderMark) ? text.slice(1) : text).split('&')
}

interface Field {
  readonly name: string
  readonly steps: readonly string[]
}

function fieldOf(path: BodyPath): Field {
  const name = normalized(encodeURIComponent(fieldNameOf(path)))
  return { name, steps: stepsOf(name) }
}

/**
 * `unlike`: a name that some parser takes for this field, for one inside of it or for one around it: `client_id[]`,
 * `client_id[a]`, `client_id.a`, `[client_id]`.
 */
function likenessOf(pair: string, { name, steps }: Field): 'same' | 'unlike' | 'other' {
  const equals = pair.indexOf('=')
  const written = normalized((equals === -1 ? pair : pair.slice(0, equals)).replaceAll('+', ' '))
  if (written === name) return 'same'
  if (!written.includes(steps[0] ?? name)) return 'other'
  const others = stepsOf(written)
  const shared = Math.min(steps.length, others.length)
  return shared > 0 && steps.slice(0, shared).every((step, index) => step === others[index]) ? 'unlike' : 'other'
}

function stepsOf(name: string): readonly string[] {
  return name.split(/[.[\]]+/).filter((step) => step !== '')
}

const escapeOrNonAscii = /%([0-9a-f]{2})|[\x80-\uffff]+/gi

/** One spelling for each name: ASCII as it is, all else percent-encoded. Never fails, and costs the same for any name. */
function normalized(name: string): string {
  return name.replace(escapeOrNonAscii, (found: string, hex: string | undefined) => {
    if (hex === undefined) return encodeURIComponent(found)
    const code = Number.parseInt(hex, 16)
    return code < 0x80 && hex !== '25' ? String.fromCharCode(code) : found.toUpperCase()
  })
}

/** What the decoders of parsers agree on; `undefined` for the rest. `]=` is where some of them end the name. */
function valueOf(pair: string): string | undefined {
  if (/(?:\]|%5d)=/i.test(pair.slice(pair.indexOf('=')))) return undefined
  const equals = pair.indexOf('=')
  try {
    return equals === -1 ? '' : decodeURIComponent(pair.slice(equals + 1).replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
