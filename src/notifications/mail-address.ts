/** One mailbox. The name is shown, the address decides. */
export interface MailAddress {
  readonly name?: string
  readonly address: string
}

/**
 * The plain core of RFC 5321 §4.1.2: a dot-atom, `@`, a domain of letters, digits and hyphens. No quotes, comments,
 * groups, lists, routes or literals, in which two readers could see two recipients. Domains of other scripts are
 * written as `xn--`. It begins with no hyphen: programs that are given it by a command line read an option there.
 */
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const addressPattern = new RegExp(`^(?!-)(?=.{1,64}@)${atom}(?:\\.${atom})*@(?=.{1,253}$)${label}(?:\\.${label})*$`)

/** Long enough for every address, and short enough for a pattern to look at. */
const longestAddress = 318

export function isMailAddress(text: unknown): text is string {
  return typeof text === 'string' && text.length <= longestAddress && addressPattern.test(text)
}

export function isMailbox(value: unknown): value is string | MailAddress {
  if (typeof value !== 'object' || value === null) return isMailAddress(value)
  const { name, address } = value as Partial<Record<keyof MailAddress, unknown>>
  return isMailAddress(address) && (name === undefined || typeof name === 'string')
}
