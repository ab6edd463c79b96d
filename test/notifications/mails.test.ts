import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  approveContract,
  changeTier,
  defineTier,
  memoryStore,
  registerClient,
  rejectContract,
  requestContract,
  restoreContract,
  revokeContract,
  type ContractStore,
} from 'clientele'
import {
  html,
  mailLifecycle,
  type FollowerEvent,
  type MailLifecycleOptions,
  type MailMessage,
  type MailStep,
} from 'clientele/notifications'
import { fieldOf, fieldsOf, partOf, SmtpProcess } from '../support/smtp-process.js'
import { faultOf } from '../support/fault-of.js'
import { until } from '../support/until.js'

const api = 'orders'
const actor = 'ann'
const limits = [{ requests: 10, windowSeconds: 60 }]
const from = { name: 'Orders API', address: 'api@example.com' }
const admins = ['admin@example.com', 'second@example.com']

let server: SmtpProcess
beforeAll(async () => {
  server = await SmtpProcess.start()
})
afterAll(() => server.kill())
beforeEach(() => {
  server.mails.length = 0
})

interface Mailed {
  readonly store: ContractStore
  readonly events: FollowerEvent[]
  register(name: string, owner?: string): Promise<string>
  /** Subjects of all mails so far, by recipients. Waits until that many have come. */
  mails(count: number): Promise<(readonly [to: string, subject: string | undefined])[]>
}

async function mailed(options: Partial<MailLifecycleOptions> = {}): Promise<Mailed> {
  const store = memoryStore()
  for (const [name, approval] of [
    ['free', 'automatic'],
    ['gold', 'manual'],
  ] as const) {
    await defineTier(store, { api, name, approval, limits, actor })
  }
  const events: FollowerEvent[] = []
  const follower = mailLifecycle(store, {
    transport: server.transport(),
    from,
    admins,
    onEvent: (event) => events.push(event),
    ...options,
  })
  await follower.ready()
  onTestFinished(() => follower.close())
  return {
    store,
    events,
    register: async (name, owner = 'dev@example.org') =>
      (await registerClient(store, { name, owner, actor: 'dev' })).client.id,
    mails: async (count) => {
      await until(() => server.mails.length >= count)
      return server.mails.map((mail) => [mail.to.join(' '), fieldOf(mail, 'subject')] as const)
    },
  }
}

function boundTo(store: ContractStore): ContractStore {
  return {
    capabilities: store.capabilities,
    findClient: (identity) => store.findClient(identity),
    findContract: (client, name) => store.findContract(client, name),
    findTier: (name, tier) => store.findTier(name, tier),
    find: (kind, key) => store.find(kind, key),
    commit: (changes) => store.commit(changes),
    list: (query) => store.list(query),
  }
}

describe('mails', () => {
  it('go to owners and admins at each step that is theirs, and at no other', async () => {
    const { store, register, mails } = await mailed()
    const client = await register('Shop')
    const key = { client, api }
    const [owner, both] = ['dev@example.org', admins.join(' ')]
    const steps: [() => Promise<unknown>, ...(readonly [string, string])[]][] = [
      [
        () => requestContract(store, { ...key, tier: 'gold', actor: 'dev' }),
        [both, 'To be decided: “Shop” asks for orders'],
      ],
      [() => approveContract(store, { ...key, actor }), [owner, 'Access to orders granted: “Shop”']],
      [
        () => changeTier(store, { ...key, tier: 'free', actor: 'dev' }),
        [owner, 'Another tier of orders: “Shop”'],
        [both, 'Granted at once: “Shop” on another tier of orders'],
      ],
      [
        () => changeTier(store, { ...key, tier: 'gold', actor: 'dev' }),
        [both, 'To be decided: “Shop” asks for another tier of orders'],
      ],
      [
        () => rejectContract(store, { ...key, actor, reason: 'too early' }),
        [owner, 'Tier of orders turned down: “Shop”'],
      ],
      [
        () => changeTier(store, { ...key, tier: 'gold', actor: 'dev' }),
        [both, 'To be decided: “Shop” asks for another tier of orders'],
      ],
      [() => changeTier(store, { ...key, tier: 'free', actor: 'dev' })],
      [
        () => changeTier(store, { ...key, tier: 'gold', actor: 'dev' }),
        [both, 'To be decided: “Shop” asks for another tier of orders'],
      ],
      [() => approveContract(store, { ...key, actor }), [owner, 'Another tier of orders: “Shop”']],
      [() => revokeContract(store, { ...key, actor, reason: 'abuse' }), [owner, 'Access to orders ended: “Shop”']],
      [() => restoreContract(store, { ...key, actor }), [owner, 'Access to orders restored: “Shop”']],
    ]
    const expected: (readonly [string, string])[] = []
    for (const [make, ...subjects] of steps) {
      await make()
      expected.push(...subjects)
      const found = await mails(expected.length)
      expect([...found].sort()).toEqual([...expected].sort())
    }
    const other = await register('Other')
    await requestContract(store, { client: other, api, tier: 'free', actor: 'dev' })
    const last = (await mails(expected.length + 2)).slice(-2)
    expect([...last].sort()).toEqual([
      [both, 'Granted at once: “Other” uses orders'],
      [owner, 'Access to orders granted: “Other”'],
    ])
    const rejected = await register('Third')
    await requestContract(store, { client: rejected, api, tier: 'gold', actor: 'dev' })
    await rejectContract(store, { client: rejected, api, actor, reason: 'no' })
    expect(await mails(expected.length + 4)).toContainEqual([owner, 'Access to orders turned down: “Third”'])
  })

  it('say what it is about, in text and HTML, from one sender, as no answer to anybody', async () => {
    const { store, register, mails } = await mailed()
    const client = await register('Shop')
    await requestContract(store, { client, api, tier: 'gold', actor: 'dev', reason: 'we sell\nthings' })
    await mails(1)
    const [mail] = server.mails
    if (mail === undefined) throw new Error('no mail')
    expect(mail.from).toBe('api@example.com')
    expect(fieldOf(mail, 'from')).toBe('Orders API <api@example.com>')
    expect(fieldOf(mail, 'auto-submitted')).toBe('auto-generated')
    const text = partOf(mail, 'text/plain')
    for (const fact of ['Application: Shop', `ID: ${client}`, 'Tier: gold', 'By: dev', 'Reason: we sell / things']) {
      expect(text).toContain(fact)
    }
    expect(partOf(mail, 'text/html')).toContain('<li>Application: Shop</li>')
  })

  it('name another tier that was turned down, and the one that stays', async () => {
    const { store, register, mails } = await mailed()
    const client = await register('Shop')
    await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    await changeTier(store, { client, api, tier: 'gold', actor: 'dev' })
    await rejectContract(store, { client, api, actor })
    await mails(4)
    const mail = server.mails.find((each) => fieldOf(each, 'subject')?.startsWith('Tier of'))
    expect(mail && partOf(mail, 'text/plain')).toContain(
      'for the tier “gold” of the API orders was turned down. It stays on the tier “free”.',
    )
  })

  it('are written by templates of one’s own, in place of each', async () => {
    const { store, register, mails } = await mailed({
      templates: {
        contractPending: () => undefined,
        contractApproved: ({ client, tier }) => ({
          subject: `Hello\r\nBcc: all@example.com ${client.name}`,
          text: `on ${String(tier)}`,
          html: html`<b>${client.name}</b>`,
        }),
      },
    })
    const client = await register('A & <i>B</i>')
    await requestContract(store, { client, api, tier: 'gold', actor: 'dev' })
    await approveContract(store, { client, api, actor })
    expect(await mails(1)).toEqual([['dev@example.org', 'Hello Bcc: all@example.com A & <i>B</i>']])
    const [mail] = server.mails
    expect(mail && partOf(mail, 'text/html').trim()).toBe('<b>A &amp; &lt;i&gt;B&lt;/i&gt;</b>')
  })

  it('ask the functions of whoever knows addresses, and send nothing to an owner without one', async () => {
    const { store, register, mails, events } = await mailed({
      admins: (name) => (name === api ? ['of-orders@example.com'] : []),
      ownerAddress: (owner) => (owner === 'team-shop' ? { name: 'Team', address: 'shop@example.org' } : undefined),
    })
    for (const owner of ['team-shop', 'nobody-knows']) {
      const client = await register(owner, owner)
      await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    }
    const found = await mails(3)
    expect(found.map(([to]) => to).sort()).toEqual([
      'of-orders@example.com',
      'of-orders@example.com',
      'shop@example.org',
    ])
    await until(() => events.some(({ kind, follower }) => kind === 'skipped' && follower === 'mail/owner'))
  })

  it('that a server refuses for one recipient hold up nobody: for good or for a while', async () => {
    const { store, register, mails, events } = await mailed({ admins: [] })
    for (const owner of ['nobody@example.org', 'busy@example.org', 'dev@example.org']) {
      const client = await register(owner, owner)
      await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    }
    expect((await mails(2)).map(([to]) => to)).toEqual(['dev@example.org', 'busy@example.org'])
    expect(events.filter(({ follower, kind }) => follower === 'mail/owner' && kind !== 'skipped')).toMatchObject([
      { kind: 'failed', reason: 'SMTP_550', attempts: 1 },
      { kind: 'retrying', reason: 'SMTP_451', attempts: 1 },
      { kind: 'delivered', attempts: 1 },
      { kind: 'delivered', attempts: 2 },
    ])
    const record = await store.find('follower', { name: 'mail/owner' })
    expect(record).toMatchObject({ retrying: [], failed: [{ reason: 'SMTP_550', attempts: 1 }] })
  })

  it('that cannot be written are set aside, with what failed, and hold up nobody', async () => {
    const refuses = (owner: string) => {
      if (owner === 'team-broken') throw new TypeError('no such team')
      return `${owner}@example.org`
    }
    const { store, register, mails, events } = await mailed({
      ownerAddress: refuses,
      admins: (name) => (name === api ? ['admin@example.com'] : []),
      templates: {
        contractAutoApproved: ({ client }) => {
          if (client.owner === 'team-broken') throw new RangeError('no such name')
          return { subject: client.name, text: 'x' }
        },
      },
    })
    for (const owner of ['team-broken', 'team-shop']) {
      const client = await register(owner, owner)
      await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    }
    expect((await mails(2)).map(([to]) => to).sort()).toEqual(['admin@example.com', 'team-shop@example.org'])
    const reasons = events.flatMap((event) => (event.kind === 'retrying' ? [event.reason] : []))
    expect(new Set(reasons)).toEqual(new Set(['TypeError', 'RangeError']))
    const record = await store.find('follower', { name: 'mail/owner' })
    expect(record?.retrying).toMatchObject([{ holds: false }])
  })

  it('know the step before among a great many, without reading them all', async () => {
    const lists: (number | undefined)[] = []
    const inner = memoryStore()
    const store: ContractStore = {
      ...boundTo(inner),
      list: (query) => {
        if (query.kind === 'audit') lists.push(query.pageSize)
        return inner.list(query)
      },
    }
    for (const name of ['free', 'gold', 'pro']) {
      await defineTier(store, { api, name, approval: 'automatic', limits, actor })
    }
    const { client } = await registerClient(store, { name: 'Shop', owner: 'dev@example.org', actor: 'dev' })
    const key = { client: client.id, api, actor: 'dev' }
    await requestContract(store, { ...key, tier: 'free' })
    for (let step = 0; step < 250; step++) await changeTier(store, { ...key, tier: step % 2 === 0 ? 'gold' : 'free' })
    const messages: MailMessage[] = []
    const sendMail = (message: MailMessage): Promise<unknown> => Promise.resolve(messages.push(message))
    const templates = { tierApproved: ({ formerTier }: MailStep) => ({ subject: `before: ${formerTier}`, text: 'x' }) }
    const follower = mailLifecycle(store, { transport: { sendMail }, from, admins: [], templates })
    onTestFinished(() => follower.close())
    await follower.ready()
    await changeTier(store, { ...key, tier: 'pro' })
    await until(() => messages.length === 1)
    expect(messages[0]?.subject).toBe('before: free')
    expect(lists.every((size) => size !== undefined && size <= 200)).toBe(true)
  })

  it('wait for a server that is away, and come in their order', async () => {
    const away = await SmtpProcess.start()
    const { store, register, events } = await mailed({ transport: away.transport(), admins: [] })
    await away.kill()
    for (const name of ['One', 'Two', 'Three']) {
      const client = await register(name)
      await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    }
    await until(() => events.filter(({ kind }) => kind === 'retrying').length >= 2)
    // Nothing overtakes what is waited for.
    expect(new Set(events.flatMap((event) => (event.kind === 'retrying' ? [event.entry] : []))).size).toBe(1)
    const back = await SmtpProcess.start(away.port)
    onTestFinished(() => back.kill())
    await until(() => back.mails.length === 3)
    expect(back.mails.map((mail) => fieldOf(mail, 'subject'))).toEqual(
      ['One', 'Two', 'Three'].map((name) => `Access to orders granted: “${name}”`),
    )
  })
})

/** What people registered themselves: none of it may leave the place where it is shown. */
describe('names in mails', () => {
  const hostile = [
    'Shop\r\nBcc: victim@example.com\r\n\r\nHello',
    'Shop\nSubject: You have won',
    '<script>alert(1)</script><a href="https://evil.example">',
    '"victim@example.com, other@example.com" <a@b.example>',
    'g:'.repeat(80) + 'a@b.example;',
    'https://evil.example/log-in www.evil.example',
    'www\uFF0Eevil\uFF0Eexample evil\u3002example evil\uFF61example evil\u2024example',
    'a\u202Etxt.exe\u2066\u0000\u001B[31m\u2028b',
    `\uD800 =?utf-8?Q?Bcc:_x@example.com?=`,
  ]

  for (const name of hostile) {
    it(`reach the right people as one line of text: ${JSON.stringify(name.slice(0, 40))}`, async () => {
      const { store, register, mails } = await mailed({ from: { name, address: 'api@example.com' } })
      const client = await register(name, 'dev@example.org')
      await requestContract(store, { client, api, tier: 'free', actor: name, reason: name })
      await mails(2)
      expect(server.mails.map(({ to }) => to.join(' ')).sort()).toEqual([admins.join(' '), 'dev@example.org'])
      for (const mail of server.mails) {
        const names = fieldsOf(mail).map(([field]) => field)
        expect([...names].sort()).toEqual(
          ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'].sort(),
        )
        expect(fieldOf(mail, 'from')).toMatch(/<api@example\.com>$/)
        expect(fieldOf(mail, 'subject')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        const shown = partOf(mail, 'text/html')
        expect(shown.replace(/<\/?(?:p|ul|li)>/g, '')).not.toMatch(/[<>]/)
        for (const part of [shown, partOf(mail, 'text/plain')]) {
          expect(part).not.toMatch(/https:\/\/|evil[.\u2024\u3002\uFF0E\uFF61]example|[\p{Cf}\p{Zl}\p{Zp}]/u)
        }
      }
    })
  }

  it('are clean in what any transport is handed, also in a subject of one’s own template', async () => {
    const messages: MailMessage[] = []
    const { store, register } = await mailed({
      transport: { sendMail: (message) => Promise.resolve(messages.push(message)) },
      from: { name: 'API\r\nBcc: x@example.com\u202E', address: 'api@example.com' },
      admins: [],
      templates: { contractApproved: () => ({ subject: 'One\r\nBcc: two\u2066', text: 'a\u0000\r\nb\tc' }) },
    })
    const client = await register('Shop')
    await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    await until(() => messages.length === 1)
    expect(messages[0]).toMatchObject({
      from: { name: 'API Bcc: x@example.com', address: 'api@example.com' },
      to: [{ name: '', address: 'dev@example.org' }],
      subject: 'One Bcc: two',
      text: 'a\nb  c',
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  })

  it('are no address: an owner that could be read as two gets no mail', async () => {
    const { store, register, mails, events } = await mailed({ admins: [] })
    const owners = [
      'a@example.com, b@example.com',
      'group: a@example.com;',
      '"a@evil.example x"@example.com',
      'a@example.com\r\nRCPT TO:<b@example.com>',
      'Shop <a@example.com>',
      'a(b)@example.com',
      'a@[127.0.0.1]',
      '@relay.example:a@example.com',
      `${'a'.repeat(65)}@example.com`,
      'a..b@example.com',
      '-oQ/tmp@example.com',
      'ä@example.com',
    ]
    for (const owner of owners) {
      const client = await register('Shop', owner)
      await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    }
    const client = await register('Last', 'dev@example.org')
    await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    expect((await mails(1)).map(([to]) => to)).toEqual(['dev@example.org'])
    expect(events.filter(({ kind, follower }) => kind === 'skipped' && follower === 'mail/owner')).toHaveLength(
      owners.length,
    )
  })

  it('that a function gives as an address are refused the same, and listed', async () => {
    const { store, register, events } = await mailed({ admins: [], ownerAddress: () => 'a@example.com, b@example.com' })
    const client = await register('Shop')
    await requestContract(store, { client, api, tier: 'free', actor: 'dev' })
    await until(() => events.some((event) => event.kind === 'failed' && event.reason === 'ADDRESS'))
    expect(server.mails).toEqual([])
  })
})

describe('options of mails', () => {
  const base = { transport: { sendMail: () => Promise.resolve() }, from: 'api@example.com', admins: [] }
  const wrong: [string, object, RegExp][] = [
    ['a sender with a name in it', { from: 'API <api@example.com>' }, /from: expected one plain address/],
    [
      'a list of recipients in one',
      { admins: ['a@example.com, b@example.com'] },
      /admins: expected a list of addresses/,
    ],
    ['no transport', { transport: 'smtp://127.0.0.1' }, /transport: expected what nodemailer/],
    ['a template that is none', { templates: { contractAproved: () => undefined } }, /contractAproved/],
    ['a claim that ends too soon', { claimMs: 20_000, timeoutMs: 20_000 }, /claimMs: expected at least 1000 more/],
  ]

  for (const [title, options, message] of wrong) {
    it(`name what is wrong: ${title}`, async () => {
      const fault = await faultOf(() => mailLifecycle(memoryStore(), { ...base, ...options }))
      expect(fault).toMatchObject({ code: 'ERR_CLIENTELE_OPTIONS', message: expect.stringMatching(message) })
    })
  }
})
