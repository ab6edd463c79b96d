import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { memoryStore, registerClient, revokeContract } from 'clientele'
import { diskStore } from 'clientele/disk'
import { applyStep } from '../../src/cli/as-code/apply.js'
import { codeJsonSchema, readCodeFile } from '../../src/cli/as-code/code-schema.js'
import { planOf } from '../../src/cli/as-code/plan.js'
import { answerOf, clientele } from './clientele-process.js'

const directory = mkdtempSync(join(tmpdir(), 'clientele-code-'))
let made = 0

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

function written(text: string): string {
  const path = join(directory, `clientele${String(++made)}.yaml`)
  writeFileSync(path, text)
  return path
}

const good = `
tiers:
  - api: orders
    name: gold
    approval: manual
    limits: &limits
      - { requests: 100, windowSeconds: 60 }
  - { api: orders, name: silver, approval: manual, limits: *limits }
clients:
  - clientId: shop
    name: Web shop
    owner: bob
  - { clientId: app, name: Phone app, type: public }
contracts:
  - { client: shop, api: orders, tier: gold }
  - { client: app, api: orders, tier: silver, limits: [{ requests: 5, windowSeconds: 1 }] }
`

describe('clientele.yaml', () => {
  it('is planned, applied, kept to, and found to have been left', { timeout: 120_000 }, async () => {
    const store = join(directory, 'data')
    const at = { store }
    const file = written(good)
    const planFile = join(directory, 'plan.json')
    const secrets = join(directory, 'secrets.jsonl')
    const planned = await answerOf(at, '--create', 'plan', file, '--out', planFile)
    expect(planned.map(({ kind, which, seen }: Record<string, unknown>) => [kind, which, seen])).toEqual([
      ['tier', 'orders gold', null],
      ['tier', 'orders silver', null],
      ['client', 'shop', null],
      ['client', 'app', null],
      ['contract', 'shop orders', null],
      ['contract', 'app orders', null],
    ])
    expect(await clientele(at, 'apply', file)).toMatchObject({ code: 2, stdout: '' })
    const applied = await clientele(at, 'apply', file, '--plan', planFile, '--secrets-out', secrets)
    expect(applied).toMatchObject({ code: 0, stderr: '' })
    expect(applied.stdout).not.toContain('cls_')
    expect(JSON.parse(readFileSync(secrets, 'utf8'))).toMatchObject({
      clientId: 'shop',
      clientSecret: expect.stringMatching(/^cls_/),
    })
    expect((statSync(secrets).mode & 0o777).toString(8)).toBe('600')
    expect(await answerOf(at, 'drift', file)).toEqual([])
    expect(await clientele(at, 'apply', file, '--plan', planFile)).toMatchObject({ code: 5 })
    await answerOf(at, 'contracts', 'revoke', 'shop', '--api', 'orders')
    const drift = await clientele(at, 'drift', file)
    expect(drift).toMatchObject({ code: 7 })
    expect(drift.stdout).toContain('state: "revoked" -> "approved"')
    // Whoever revoked it knew something that the file does not.
    const silent = await clientele(at, 'apply', file)
    expect(silent).toMatchObject({ code: 4 })
    expect(silent.stderr).toContain('state: approved')
    const lifting = written(good.replace('tier: gold }', 'tier: gold, state: approved }'))
    await answerOf(at, 'apply', lifting)
    expect(await answerOf(at, 'drift', file)).toEqual([])
  })

  it('changes names, owners, states, tiers and limits, each as the record stood in the plan', async () => {
    const store = memoryStore()
    const run = async (text: string) => {
      const steps = await planOf(store, readCodeFile(written(text)))
      for (const step of steps) await applyStep({ store, actor: 'ann', keepSecret: () => undefined }, step)
      expect(await planOf(store, readCodeFile(written(text)))).toEqual([])
      return steps.map(({ differences }) => differences).flat()
    }
    await run(good)
    const other = good
      .replace('Web shop', 'Shop')
      .replace('    owner: bob\n', '    state: disabled\n')
      .replace('tier: gold }', 'tier: silver, state: approved }')
      .replace('silver, limits: [{ requests: 5, windowSeconds: 1 }]', 'silver')
    expect(await run(other)).toEqual([
      'name: "Web shop" -> "Shop"',
      'owner: "bob" -> (none)',
      'state: "active" -> "disabled"',
      'tier: "gold" -> "silver"',
      'limits: [{"algorithm":"fixed","requests":5,"windowSeconds":1}] -> (none)',
    ])
    await run(other.replace('state: approved', 'state: revoked'))
    await run(other)
  })

  it('is not applied to a record that has changed since the plan', async () => {
    const store = memoryStore()
    const applying = { store, actor: 'ann', keepSecret: () => undefined }
    for (const step of await planOf(store, readCodeFile(written(good)))) await applyStep(applying, step)
    const [step] = await planOf(store, readCodeFile(written(good.replace('tier: gold }', 'tier: silver }'))))
    const { client } = (await store.list<'contract'>({ kind: 'contract', api: 'orders' })).records.find(
      ({ tier }) => tier === 'gold',
    )!
    await revokeContract(store, { client, api: 'orders', actor: 'dan' })
    await expect(applyStep(applying, step!)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_CONFLICT' })
  })
})

const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
for (let level = 1; level < 9; level++)
  bomb.push(
    `a${String(level)}: &a${String(level)} [${Array(10)
      .fill(`*a${String(level - 1)}`)
      .join(', ')}]`,
  )

describe('a file that is wrong', () => {
  const tier =
    'tiers:\n  - { api: orders, name: gold, approval: manual, limits: [{ requests: 1, windowSeconds: 60 }] }\n'
  const cases: readonly (readonly [string, string, string])[] = [
    ['malformed YAML', `${tier}clients: [\n`, ':4: Flow sequence'],
    ['a misspelt member', 'clients:\n  - clientId: shop\n    nmae: Shop\n', ':3: clients.0.nmae: no such member'],
    ['a missing member', 'clients:\n  - name: Shop\n', ':2: clients.0.clientId: '],
    ['a wrong limit', tier.replace('requests: 1', 'requests: 0'), ':2: tiers.0.limits.0.requests: '],
    [
      'a duplicate client',
      'clients:\n  - { clientId: a, name: A }\n  - { clientId: a, name: B }\n',
      ':3: clients.1: stands there already',
    ],
    ['a duplicate key', 'clients: []\ntiers: []\nclients: []\n', ':3: Map keys must be unique'],
    ['a merge of a prototype', 'clients:\n  - clientId: a\n    <<: { __proto__: { name: x } }\n', ':3: <<'],
    ['a prototype', 'clients:\n  - clientId: a\n    name: x\n    __proto__: { owner: x }\n', ':4: __proto__'],
    ['a bomb of aliases', bomb.join('\n'), ':1: its aliases unfold'],
    ['a tag', 'clients: !!js/function "x"\n', ':1: Unresolved tag'],
    ['a list in place of the file', '- a\n', ':1: Invalid input'],
    [
      'a secret',
      'clients:\n  - { clientId: a, name: A, clientSecret: s3cr3t }\n',
      ':2: clients.0.clientSecret: no such member',
    ],
  ]

  it.each(cases)('is refused with file and line: %s', (_what, text, place) => {
    const file = written(text)
    const refused = { exit: 'wrongInput', message: expect.stringContaining(file + place) }
    expect(() => readCodeFile(file)).toThrow(expect.objectContaining(refused))
    expect(() => readCodeFile(file)).not.toThrow('s3cr3t')
    expect(Object.prototype).not.toHaveProperty('owner')
  })

  it.each([
    [
      'an unknown tier',
      'contracts:\n  - { client: shop, api: orders, tier: glod }\n',
      ':2: contracts.0.tier: there is no such tier',
    ],
    [
      'an unknown client',
      'contracts:\n  - { client: shpo, api: orders }\n',
      ':2: contracts.0.client: there is no such client',
    ],
    [
      'another type',
      'clients:\n  - { clientId: shop, name: S, type: public }\n',
      ':2: clients.0.type: cannot be changed',
    ],
  ])('is refused where it does not fit the store: %s', async (_what, text, place) => {
    const store = memoryStore()
    await registerClient(store, { name: 'S', clientId: 'shop', actor: 'ann' })
    const file = written(text)
    await expect(planOf(store, readCodeFile(file))).rejects.toThrow(file + place)
  })

  it('changes nothing, and ends with 2', async () => {
    const path = join(directory, 'untouched')
    const store = diskStore({ path })
    const file = written(`${good}  - { client: shop, api: orders }\n`)
    expect(await clientele({ store: path }, 'apply', file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${file}:17: contracts.2: `),
    })
    expect((await store.list({ kind: 'tier' })).records).toEqual([])
    await store.close()
  })
})

describe('the JSON schema of the file', () => {
  it('is the one that is published', () => {
    const published = new URL('../../docs/reference/clientele.schema.json', import.meta.url)
    expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(JSON.parse(JSON.stringify(codeJsonSchema())))
  })
})
