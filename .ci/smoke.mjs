// Packs the package, installs the tarball into an empty folder with install scripts off, and serves one request.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'clientele-smoke-'))
const run = (command, parameters, cwd) =>
  execFileSync(command, parameters, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

try {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], process.cwd()),
  )
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${filename}`, 'express@5'], folder)
  writeFileSync(
    join(folder, 'app.js'),
    `
    import express from 'express'
    import { approveContract, defineTier, registerClient, requestContract } from 'clientele'
    import { diskStore } from 'clientele/disk'
    import { clientele } from 'clientele/express'
    const store = diskStore({ path: './data' })
    const actor = 'smoke'
    await defineTier(store, { api: 'orders', name: 'gold', approval: 'manual', limits: [{ requests: 1, windowSeconds: 60, algorithm: 'fixed' }], actor })
    const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
    await requestContract(store, { client: client.id, api: 'orders', tier: 'gold', actor })
    await approveContract(store, { client: client.id, api: 'orders', actor })
    const { enforceClientId, limitBySla } = clientele({ api: 'orders', store })
    const app = express()
    app.get('/orders', enforceClientId(), limitBySla(), (req, res) => { res.json({ hello: req.clientele.client.name }) })
    const server = app.listen(0, '127.0.0.1', async () => {
      const url = 'http://127.0.0.1:' + server.address().port + '/orders'
      const headers = { client_id: clientId, client_secret: clientSecret }
      const statuses = []
      for (const each of [{}, { headers }, { headers }]) statuses.push((await fetch(url, each)).status)
      console.log(statuses.join(' '))
      server.close()
      server.closeAllConnections()
      await store.close()
    })
  `,
  )
  const printed = run('node', ['app.js'], folder).trim()
  if (printed !== '401 200 429') throw new Error(`the packed package answered ${printed}, not 401 200 429`)
  console.log('packed, installed and served: 401 200 429')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
