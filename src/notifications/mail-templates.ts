import { oneLine } from '../runtime/unseen.js'
import type { MailOccasion } from './mail-occasions.js'
import type { MailStep } from './mail-step.js'
import { html, unlinked, type SafeHtml } from './mail-text.js'

/** What is mailed. Lines may be as long as they are. */
export interface MailText {
  /** One line; what ends a line is taken out. */
  readonly subject: string
  readonly text: string
  /** A string goes out as it is: escape in it what came from others, or make it with `html`. */
  readonly html?: string | SafeHtml
}

/** Writes the mail for one occasion. `undefined`: none is sent. */
export type MailTemplate = (step: MailStep) => MailText | undefined

export type MailTemplates = Readonly<Record<MailOccasion, MailTemplate>>

/** The title, and one sentence. */
type Words = (named: Named) => readonly [subject: string, sentence: string]

interface Named {
  readonly client: string
  readonly api: string
  readonly tier: string
  readonly formerTier: string
  readonly actor: string
}

const words: Readonly<Record<MailOccasion, Words>> = {
  contractApproved: ({ client, api, tier }) => [
    `Access to ${api} granted: ${client}`,
    `${client} may use the API ${api}${on(tier)} from now on.`,
  ],
  contractRejected: ({ client, api }) => [
    `Access to ${api} turned down: ${client}`,
    `The request of ${client} for the API ${api} was turned down.`,
  ],
  contractRevoked: ({ client, api }) => [
    `Access to ${api} ended: ${client}`,
    `${client} may no longer use the API ${api}. Its requests are refused from now on.`,
  ],
  contractRestored: ({ client, api, tier }) => [
    `Access to ${api} restored: ${client}`,
    `${client} may use the API ${api}${on(tier)} again.`,
  ],
  tierApproved: ({ client, api, tier }) => [
    `Another tier of ${api}: ${client}`,
    `${client} uses the API ${api}${on(tier)} from now on.`,
  ],
  tierRejected: ({ client, api, tier, formerTier }) => [
    `Tier of ${api} turned down: ${client}`,
    `The request of ${client} for the tier ${tier} of the API ${api} was turned down. It stays${on(formerTier)}.`,
  ],
  contractPending: ({ client, api, tier, actor }) => [
    `To be decided: ${client} asks for ${api}`,
    `${actor} asks that ${client} may use the API ${api}${on(tier)}. Somebody has to approve or reject it.`,
  ],
  contractAutoApproved: ({ client, api, tier, actor }) => [
    `Granted at once: ${client} uses ${api}`,
    `${actor} asked that ${client} may use the API ${api}${on(tier)}. It was approved at once; nothing has to be done.`,
  ],
  tierPending: ({ client, api, tier, formerTier, actor }) => [
    `To be decided: ${client} asks for another tier of ${api}`,
    `${actor} asks that ${client} goes from the tier ${formerTier} to ${tier} of the API ${api}. Somebody has to approve or reject it.`,
  ],
  tierAutoApproved: ({ client, api, tier, formerTier, actor }) => [
    `Granted at once: ${client} on another tier of ${api}`,
    `${actor} had ${client} go from the tier ${formerTier} to ${tier} of the API ${api}. It was approved at once; nothing has to be done.`,
  ],
}

function on(tier: string): string {
  return tier === '' ? '' : ` on the tier ${tier}`
}

/** The templates that are there; replace those that you want otherwise. */
export const mailTemplates: MailTemplates = Object.freeze(
  Object.fromEntries(Object.entries(words).map(([occasion, each]) => [occasion, templateOf(each)])) as Record<
    MailOccasion,
    MailTemplate
  >,
)

const longestNameInSubject = 60

function templateOf(wordsOf: Words): MailTemplate {
  return (step) => {
    const [subject] = wordsOf(namedIn(step, (text) => oneLine(text, longestNameInSubject)))
    const [, sentence] = wordsOf(namedIn(step, (text) => text))
    const facts = factsOf(step)
    const lines = facts.map(([name, value]) => `${name}: ${unlinked(value)}`)
    const rows = facts.map(([name, value]) => html`<li>${name}: ${unlinked(value)}</li>`)
    return {
      subject,
      text: `${sentence}\n\n${lines.join('\n')}\n`,
      html: html`<p>${sentence}</p>
        <ul>
          ${rows}
        </ul>`,
    }
  }
}

/** Names stand in quotes, so that one that reads like a sentence of ours does not pass for it. */
function namedIn(step: MailStep, shortened: (text: string) => string): Named {
  const quoted = (text: string): string => `“${unlinked(shortened(text)).replace(/[“”]/g, "'")}”`
  const tier = (name: string | undefined): string => (name === undefined ? '' : quoted(name))
  return {
    client: quoted(step.client.name),
    api: step.api,
    tier: tier(step.tier),
    formerTier: tier(step.formerTier),
    actor: quoted(step.actor),
  }
}

function factsOf({ client, api, tier, actor, reason, at, entry }: MailStep): (readonly [string, string])[] {
  const facts: (readonly [string, string | undefined])[] = [
    ['Application', client.name],
    ['ID', client.id],
    ['Owner', client.owner],
    ['API', api],
    ['Tier', tier],
    ['By', actor],
    ['Reason', reason?.replaceAll('\n', ' / ')],
    ['At', at],
    ['Entry of the audit log', entry],
  ]
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}
