import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageEntries } from '../../package-entries.js'
import { codeTable } from '../documentation/tables.js'
import { Consumer, manifestOf } from './support/consumer.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const path = 'docs/explanation/performance.md'

describe('what is loaded', () => {
  let consumer: Consumer
  beforeAll(async () => {
    consumer = await Consumer.make({ packages: ['express', 'keyv', 'koa'] })
  })
  afterAll(() => {
    consumer.remove()
  })

  /** Of what the package depends on or may be used with: what these drag in is theirs. */
  async function loadedBy(...modules: readonly string[]): Promise<string[]> {
    const { dependencies, peerDependencies } = manifestOf(consumer.package)
    const { stdout, stderr } = await consumer.run('loaded-packages.mjs', ...modules)
    expect(stderr).toBe('')
    return (JSON.parse(stdout) as string[]).filter((name) => name in { ...dependencies, ...peerDependencies, keyv: '' })
  }

  it('with each entry is what the page on performance says', async () => {
    const documented = codeTable({ path, text: readFileSync(new URL(path, `file://${root}`), 'utf8') }, [
      'entry',
      'loads',
    ])
    const found: [string, string][] = []
    for (const { name } of packageEntries) found.push([name, (await loadedBy(name)).join(', ')])
    expect(documented).toEqual(found)
  })

  it('with an adapter is neither a framework, nor openid-client, nor an engine of a store', async () => {
    const engines = ['express', 'keyv', 'koa', 'lmdb', 'openid-client']
    expect((await loadedBy('clientele/express', 'clientele/koa')).filter((name) => engines.includes(name))).toEqual([])
    expect(await loadedBy('clientele/disk', 'express', 'keyv', 'koa')).toEqual(
      expect.arrayContaining(['express', 'keyv', 'koa', 'lmdb']),
    )
  })

  it('is openid-client at the first discovery, and not before', async () => {
    consumer.add('token-request.mjs')
    expect(await loadedBy('./token-request.mjs?jwksUri')).not.toContain('openid-client')
    expect(await loadedBy('./token-request.mjs?discovery')).toContain('openid-client')
  })
})
