import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CliError, wrongInput } from './exit-codes.js'

/** A package of the project that the command is called in: clients of databases are the user's to choose. */
export async function fromProject(name: string): Promise<Readonly<Record<string, unknown>>> {
  let path: string
  try {
    path = createRequire(join(process.cwd(), 'package.json')).resolve(name)
  } catch {
    throw wrongInput(`the package ${name} is not installed here: npm install ${name}`)
  }
  return imported(path)
}

/** A file of the user's own. What it throws is told by kind alone: it may hold a URL with a password. */
export async function userFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await imported(resolve(path))
  } catch (error) {
    const { name, code, message } = error as Partial<Record<'name' | 'code' | 'message', unknown>>
    // Faults of ours hold no value; they may come from another copy of the package.
    const parts = name === 'ClienteleFault' ? [code, message] : [name, code]
    const kind = parts.filter((part) => typeof part === 'string').join(' ')
    const hint = name === 'SyntaxError' ? '; an ES module is called .mjs, or stands beside "type": "module"' : ''
    throw new CliError('wrongInput', `${path} cannot be loaded: ${kind}${hint}`)
  }
}

async function imported(path: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
}
