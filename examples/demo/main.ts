import { diskStore, type DiskStore } from 'clientele/disk'
import { createApi } from './api.js'
import { curlLines } from './curl-lines.js'
import { knownSecrets, writeDemoFile } from './demo-file.js'
import { issuerKeys } from './issuer-keys.js'
import { createIssuer } from './issuer.js'
import { printGuide } from './print.js'
import { describeRoutes } from './routes.js'
import { seed } from './seed.js'
import { openServer } from './servers.js'
import { DemoError, readSettings } from './settings.js'
import { stopSignal } from './stop.js'

async function main(): Promise<void> {
  const stop = stopSignal()
  const settings = readSettings(process.env)
  const { dataFolder, port, issuerPort, issuer } = settings

  const apiServer = await openServer(port)
  const issuerServer = await openServer(issuerPort)
  const store = openStore(dataFolder)

  const clients = await seed(store, issuer, await knownSecrets(dataFolder))
  const app = createApi(store, issuer)
  const routes = describeRoutes(app)
  await writeDemoFile(settings, routes, clients)

  issuerServer.serve(await createIssuer(issuer, await issuerKeys(dataFolder), clients))
  apiServer.serve(app)
  printGuide({ settings, routes, clients, groups: curlLines(settings, clients) })

  await stop
  await Promise.all([apiServer.close(), issuerServer.close()])
  await store.close()
  console.log('Stopped.')
}

function openStore(dataFolder: string): DiskStore {
  try {
    return diskStore({ path: dataFolder })
  } catch {
    throw new DemoError(`DATA_DIR must be a folder of your own, or one that can be made: ${dataFolder} is not.`)
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof DemoError ? error.message : error)
  process.exit(1)
})
