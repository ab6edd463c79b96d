import { oneLine } from '../runtime/unseen.js'
import { DeliveryFailure, failureOf } from './delivery-failure.js'
import { isMailbox, type MailAddress } from './mail-address.js'
import type { MailText } from './mail-templates.js'
import { severalLines } from './mail-text.js'

/** What the transport is given: as much of nodemailer's message as is needed here. */
export interface MailMessage {
  from: { name: string; address: string }
  to: { name: string; address: string }[]
  subject: string
  text: string
  html?: string
  /** The same for each attempt at one mail, so that who gets it twice can tell. */
  messageId: string
  headers: Record<string, string>
  disableFileAccess: true
  disableUrlAccess: true
}

/** What `nodemailer.createTransport()` returns, or whatever sends mails in its place. */
export interface MailTransport {
  sendMail(message: MailMessage): Promise<unknown>
}

const longestSubject = 200

export function messageOf(
  from: string | MailAddress,
  to: readonly (string | MailAddress)[],
  { subject, text, html }: MailText,
  id: string,
): MailMessage {
  const sender = mailboxOf(from)
  return {
    from: sender,
    to: to.map(mailboxOf),
    subject: oneLine(subject, longestSubject),
    text: severalLines(text),
    ...(html === undefined ? {} : { html: String(html) }),
    messageId: `<${id}@${sender.address.slice(sender.address.lastIndexOf('@') + 1)}>`,
    // RFC 3834 §5: nobody's holiday is answered to a robot.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** An object and not a text: in a text, a name could hold further recipients. */
function mailboxOf(mailbox: string | MailAddress): { name: string; address: string } {
  if (!isMailbox(mailbox)) throw new DeliveryFailure('ADDRESS', { about: 'for good' })
  const { name = '', address } = typeof mailbox === 'string' ? { address: mailbox } : mailbox
  return { name: oneLine(name), address }
}

/** What was said of one recipient or one text, and not of us: of the sender, the log-in or the line. */
const aboutOneMail = /^(?:RCPT TO|DATA)$/i

/** RFC 5321 §4.2.1: 5yz will not be otherwise the next time; 421 means that the server goes away. */
export function mailFailure(error: unknown): DeliveryFailure {
  if (error instanceof DeliveryFailure) return error
  const { responseCode, command } = Object(error) as Partial<Record<string, unknown>>
  if (typeof responseCode !== 'number') return failureOf(error)
  const reason = `SMTP_${String(responseCode)}`
  const isAboutOne = typeof command === 'string' && aboutOneMail.test(command) && responseCode !== 421
  if (!isAboutOne) return new DeliveryFailure(reason)
  return new DeliveryFailure(reason, { about: responseCode >= 500 ? 'for good' : 'this' })
}
