import { z } from 'zod'

const idPattern = /^[A-Za-z0-9._~:/@-]{1,255}$/

/** Whether a text can be an ID at all. What cannot never reaches a store. */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && idPattern.test(text)
}

const controlCharacter = /\p{Cc}/u
const maximumIssuerLength = 2048

export function isIssuer(text: unknown): text is string {
  return (
    typeof text === 'string' && text.length > 0 && text.length <= maximumIssuerLength && !controlCharacter.test(text)
  )
}

export const id = z.string().regex(idPattern, 'expected 1 to 255 characters of A-Z a-z 0-9 . _ ~ : / @ -')
export const apiName = id
export const issuer = z.string().refine(isIssuer, {
  error: `expected 1 to ${String(maximumIssuerLength)} characters, none of them a control character`,
})
/** Any text: it is made safe where it goes into a header, a key or a terminal. */
export const tierName = z.string().min(1).max(255)
export const freeText = z.string().min(1).max(255)
export const longText = z.string().max(2000)
export const actor = z.string().min(1).max(255)
export const version = z.int().min(1)
/** Of the audit log: a number as text. */
export const entry = z.string().regex(/^\d{12}$/, 'expected twelve digits')
export const instant = z.iso.datetime()
