export type BodyFormat = 'json' | 'form'

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const quoted = String.raw`"(?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\x20-\x7e\x80-\xff])*"`
/** RFC 9110 §8.3.1 without tabs, by which some parsers stumble and some do not. */
const mediaType = new RegExp(`^(${token}/${token})((?: *; *${token}=(?:${token}|${quoted}))*) *$`)
const parameter = new RegExp(` *; *(${token})=(${token}|${quoted})`, 'g')
const oursSomewhere = /json|csp-report|urlencoded/i
/** JSON under a name that does not say so, to koa-bodyparser and co-body (W3C CSP2 §4.4). */
const reportType = 'application/csp-report'

/**
 * What a body is called by all its `Content-Type` fields: `other` is none of our business. `unclear` is what one
 * parser takes for JSON or a form and another does not, or decodes by another charset than UTF-8.
 */
export function bodyFormatOf(contentTypes: readonly string[]): BodyFormat | 'other' | 'unclear' {
  const [value] = contentTypes
  const parts = value === undefined ? null : mediaType.exec(value)
  if (parts === null || contentTypes.length > 1) return contentTypes.some(mentionsOurs) ? 'unclear' : 'other'
  const [, essence = '', parameters = ''] = parts
  const format = formatOf(essence.toLowerCase())
  return format === 'other' || isUtf8(parameters) ? format : 'unclear'
}

function mentionsOurs(value: string): boolean {
  return oursSomewhere.test(value)
}

function formatOf(essence: string): BodyFormat | 'other' {
  if (essence === 'application/json' || essence === reportType || essence.endsWith('+json')) return 'json'
  return essence === 'application/x-www-form-urlencoded' ? 'form' : 'other'
}

/** No charset is UTF-8 (RFC 8259 §8.1 for JSON). Of two that are named, parsers differ on which one counts. */
function isUtf8(parameters: string): boolean {
  const charsets = [...parameters.matchAll(parameter)].filter(([, name]) => name?.toLowerCase() === 'charset')
  return charsets.length === 0 || (charsets.length === 1 && /^"?utf-8"?$/i.test(charsets[0]?.[2] ?? ''))
}
