import { createInterface } from 'node:readline'
import nodemailer from 'nodemailer'
import { firstLine, killed, startChild, type Child } from './child-process.js'

/** A mail as the server got it. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
}

/** A mail server in a process of its own. Takes everything but mails to `nobody@`; to `busy@` at the second time. */
export class SmtpProcess {
  readonly mails: ReceivedMail[] = []

  private constructor(
    readonly port: number,
    private readonly child: Child,
  ) {}

  static async start(port = 0): Promise<SmtpProcess> {
    const child = await startChild(new URL('../notifications/children/smtp-server.ts', import.meta.url), String(port))
    const server = new SmtpProcess(Number(await firstLine(child)), child)
    createInterface({ input: child.stdout }).on('line', (mail) => server.mails.push(JSON.parse(mail) as ReceivedMail))
    return server
  }

  transport() {
    return nodemailer.createTransport({ host: '127.0.0.1', port: this.port, secure: false, ignoreTLS: true })
  }

  kill(): Promise<void> {
    return killed(this.child)
  }
}

/** The fields of a mail's head, unfolded (RFC 5322 §2.2.3), with encoded words read (RFC 2047). */
export function fieldsOf({ raw }: ReceivedMail): readonly (readonly [name: string, value: string])[] {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  return head.split('\r\n').map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), withoutEncodedWords(line.slice(colon + 1).trim())] as const
  })
}

export function fieldOf(mail: ReceivedMail, name: string): string | undefined {
  return fieldsOf(mail).find(([each]) => each === name)?.[1]
}

/** All parts of the body that have a type, decoded. */
export function partOf({ raw }: ReceivedMail, type: 'text/plain' | 'text/html'): string {
  const start = raw.indexOf(`Content-Type: ${type}`)
  const part = raw.slice(start)
  const bodyStart = part.indexOf('\r\n\r\n') + 4
  const body = part.slice(bodyStart).split(/\r\n----?_/)[0] ?? ''
  const coding = /Content-Transfer-Encoding: (\S+)/.exec(part.slice(0, bodyStart))?.[1]
  if (coding === 'base64') return Buffer.from(body, 'base64').toString()
  return coding === 'quoted-printable' ? quotedPrintable(body.replace(/=\r\n/g, '')) : body
}

function withoutEncodedWords(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_all, coding: string, text: string) =>
      coding.toUpperCase() === 'B'
        ? Buffer.from(text, 'base64').toString()
        : quotedPrintable(text.replaceAll('_', ' ')),
    )
}

function quotedPrintable(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
