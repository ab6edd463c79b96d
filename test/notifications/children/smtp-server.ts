// A mail server that somebody runs: prints its port, then each mail that it has taken, as a line of JSON.
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import type { AddressInfo } from 'node:net'

const [port = '0'] = process.argv.slice(2)
const once = new Set<string>()

function refusal(responseCode: number): Error {
  return Object.assign(new Error('not here'), { responseCode })
}

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  onRcptTo({ address }, _session, done) {
    if (address.startsWith('nobody@')) done(refusal(550))
    else if (address.startsWith('busy@') && !once.has(address)) done(refusal((once.add(address), 451)))
    else done()
  },
  onData(stream, { envelope }, done) {
    void text(stream).then((raw) => {
      const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
      const to = envelope.rcptTo.map(({ address }) => address)
      process.stdout.write(JSON.stringify({ from, to, raw }) + '\n', () => done())
    })
  },
})
server.on('error', () => undefined)
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`${String((server.server.address() as AddressInfo).port)}\n`)
})
process.stdin.resume().once('end', () => process.exit())
