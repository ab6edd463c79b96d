import { z } from 'zod'
import type { AuditEntry, Client } from '../contracts/model.js'
import type { Shape } from '../contracts/schema-shape.js'
import { id } from '../contracts/schema-words.js'
import type { ContractStore } from '../contracts/store.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { hasFunctions } from '../runtime/check.js'
import { skipped } from './attempt-delivery.js'
import { failureOf } from './delivery-failure.js'
import { follow, type LifecycleFollower } from './follow-lifecycle.js'
import { checkFollower, followerShape, type FollowerOptions } from './follower-options.js'
import { newFollower } from '../contracts/new-follower.js'
import { headOf } from './log-reader.js'
import { isMailAddress, isMailbox, type MailAddress } from './mail-address.js'
import { mailFailure, messageOf, type MailMessage, type MailTransport } from './mail-message.js'
import { isMailed, mailOccasions, type MailAudience } from './mail-occasions.js'
import { mailStepOf, type MailStep } from './mail-step.js'
import { mailTemplates, type MailTemplates } from './mail-templates.js'

type Mailbox = string | MailAddress

export interface MailLifecycleOptions extends FollowerOptions {
  /** What `nodemailer.createTransport()` returns. Give it a queue behind: a relay, not the servers of recipients. */
  readonly transport: MailTransport
  /** Whom mails come from: `api@example.com`, or with a name `{ name, address }`. */
  readonly from: Mailbox
  /** Who decides: all of them are on each mail to admins. A function is asked per API. None: no such mails. */
  readonly admins: readonly Mailbox[] | ((api: string) => MaybePromise<readonly Mailbox[]>)
  /** Where the owner of a client reads mail. @default the owner itself, where it is an address */
  readonly ownerAddress?: (owner: string, client: Client) => MaybePromise<Mailbox | undefined>
  /** In place of the ones that are there, by occasion. */
  readonly templates?: Partial<MailTemplates>
  /** In whose name the store keeps how far this has come. @default 'mail' */
  readonly name?: string
}

const isFunction = (value: unknown): boolean => typeof value === 'function'
const mailbox = z.custom<Mailbox>(isMailbox, {
  message:
    'expected one plain address as in "api@example.com", or { name, address }; a domain of other scripts as xn--',
})
const template = z.custom<MailTemplates[keyof MailTemplates]>(isFunction, 'expected a function').optional()
const templateShape = Object.fromEntries(Object.keys(mailOccasions).map((occasion) => [occasion, template]))

const optionsSchema = z.strictObject({
  ...followerShape,
  transport: z.custom<MailTransport>(hasFunctions('sendMail'), {
    message: 'expected what nodemailer.createTransport() returns, or another object with sendMail()',
  }),
  from: mailbox,
  admins: z.union([z.array(mailbox), z.custom<(api: string) => MaybePromise<readonly Mailbox[]>>(isFunction)], {
    error: 'expected a list of addresses, each as "api@example.com" or { name, address }, or a function of the API',
  }),
  ownerAddress: z
    .custom<NonNullable<MailLifecycleOptions['ownerAddress']>>(isFunction, 'expected a function')
    .default(() => ownerItself),
  templates: (z.strictObject(templateShape) as z.ZodType<Partial<MailTemplates>>).default({}),
  name: id.max(200).default('mail'),
} satisfies Shape<MailLifecycleOptions>)

type Checked = z.infer<typeof optionsSchema>

function ownerItself(owner: string): string | undefined {
  return isMailAddress(owner) ? owner : undefined
}

/**
 * Mails owners what becomes of their requests, and admins what waits for them, whichever process made the step and
 * also after a while without a mail server. Two followers, so that neither waits for the other. A mail comes twice
 * where a process was killed, or the server did not answer, after it was taken: with the same Message-ID.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function mailLifecycle(store: ContractStore, options: MailLifecycleOptions): LifecycleFollower {
  const checked = checkFollower('mailLifecycle()', optionsSchema, store, options)
  const mailer = new Mailer(store, checked)
  const followed = (['owner', 'admins'] as const).map((audience) => {
    const name = `${checked.name}/${audience}`
    return {
      name,
      first: async () => newFollower(name, await headOf(store)),
      wants: isMailed,
      deliver: (entry: AuditEntry) => mailer.mail(audience, entry),
    }
  })
  return follow(store, followed, checked)
}

type Found = NonNullable<Awaited<ReturnType<typeof mailStepOf>>>

/** Whom a mail goes to and what it says differs from mail to mail: one that cannot be written holds no other. */
async function aboutThis<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw failureOf(error, 'this')
  }
}

class Mailer {
  readonly #templates: MailTemplates

  constructor(
    private readonly store: ContractStore,
    private readonly options: Checked,
  ) {
    this.#templates = { ...mailTemplates, ...options.templates }
  }

  async mail(audience: MailAudience, entry: AuditEntry): Promise<unknown> {
    const found = await mailStepOf(this.store, audience, entry)
    if (found === undefined) return skipped
    const message = await aboutThis(() => this.#message(audience, entry, found))
    if (message === undefined) return skipped
    await this.options.transport.sendMail(message).catch((error: unknown) => {
      throw mailFailure(error)
    })
    return undefined
  }

  async #message(audience: MailAudience, entry: AuditEntry, { step, client }: Found): Promise<MailMessage | undefined> {
    const to = audience === 'owner' ? await this.#owner(client) : await this.#admins(step)
    const text = to.length === 0 ? undefined : this.#templates[step.occasion](step)
    if (text === undefined) return undefined
    const id = `clientele-${entry.entry}-${audience}-${entry.hash.slice(0, 16)}`
    return messageOf(this.options.from, to, text, id)
  }

  async #owner(client: Client | undefined): Promise<readonly Mailbox[]> {
    if (client?.owner === undefined) return []
    const address = await this.options.ownerAddress(client.owner, client)
    return address === undefined ? [] : [address]
  }

  async #admins({ api }: MailStep): Promise<readonly Mailbox[]> {
    const { admins } = this.options
    return typeof admins === 'function' ? admins(api) : admins
  }
}
