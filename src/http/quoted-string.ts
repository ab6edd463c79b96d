const notInQuotedString = /[^\x20-\x7e]/g
const needsEscape = /["\\]/g

/** A quoted-string (RFC 9110 §5.6.4) of visible ASCII; what stands outside of that becomes `?`. */
export function quotedString(text: string): string {
  return `"${text.replace(notInQuotedString, '?').replace(needsEscape, '\\$&')}"`
}
