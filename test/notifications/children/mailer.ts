// A process that mails what becomes of requests: says `ready`, then each mail that the server has taken from it.
import nodemailer from 'nodemailer'
import { mailLifecycle } from '../../../src/notifications/mail-lifecycle.js'
import { diskStore } from '../../../src/stores/disk.js'

const { path, port } = JSON.parse(process.argv[2] ?? '') as { path: string; port: number }
const transport = nodemailer.createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true })
const follower = mailLifecycle(diskStore({ path }), {
  transport,
  from: 'api@example.com',
  admins: [],
  pollMs: 100,
  timeoutMs: 500,
  claimMs: 1500,
  onEvent: ({ kind }) => {
    if (kind === 'delivered') process.stdout.write('mailed\n')
  },
})
await follower.ready()
process.stdout.write('ready\n')
process.stdin.resume().once('end', () => process.exit())
