const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
const notInQuotedString = /[^\x20-\x7e]/g
const needsEscape = /["\\]/g

/** Whether `setHeader` would take it, and nothing else would be read into it (RFC 9110 §5.5). */
export function isFieldValue(text: string): boolean {
  return fieldValue.test(text)
}

/** A quoted-string (RFC 9110 §5.6.4) of visible ASCII; what stands outside of that becomes `?`. */
export function quotedString(text: string): string {
  return `"${text.replace(notInQuotedString, '?').replace(needsEscape, '\\$&')}"`
}
