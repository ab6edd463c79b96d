// Prints which packages a process has loaded when it has imported what its parameters name.
import { createRequire, register } from 'node:module'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

const { port1: loaded, port2: port } = new MessageChannel()
const hooks = `
  let port
  export const initialize = (data) => void (port = data.port)
  export const load = (url, context, nextLoad) => (port.postMessage(url), nextLoad(url, context))
`
register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: { port }, transferList: [port] })

for (const name of process.argv.slice(2)) await import(name)

const files = Object.keys(createRequire(import.meta.url).cache)
for (let next = receiveMessageOnPort(loaded); next !== undefined; next = receiveMessageOnPort(loaded)) {
  files.push(next.message)
}
const packages = files.flatMap((file) => /^.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file)?.[1] ?? [])
console.log(JSON.stringify([...new Set(packages)].filter((name) => name !== 'clientele').sort()))
process.exit()
