#!/usr/bin/env node
import { runCli } from './program.js'

// Whoever reads may stop before the end, as `head` does: what is left is for nobody.
process.stdout.on('error', () => {
  process.exit(0)
})

const code = await runCli(process.argv.slice(2))
// A command is over when its work is done, whatever a config file has left open.
await Promise.all([process.stdout, process.stderr].map((out) => new Promise((resolve) => out.write('', resolve))))
process.exit(code)
