#!/usr/bin/env node
import { runCli } from './program.js'

const code = await runCli(process.argv.slice(2))
// A command is over when its work is done, whatever a config file has left open.
const written = [process.stdout, process.stderr].map((out) => new Promise((resolve) => out.write('', resolve)))
await Promise.all(written)
process.exit(code)
