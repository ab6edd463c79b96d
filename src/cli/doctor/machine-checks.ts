import { statSync } from 'node:fs'
import { join } from 'node:path'
import { isRedisUrl } from '../places.js'
import { all, type Check, type Patient } from './checks.js'

const oldestNode = [20, 19] as const

/** The process and the files beneath it. */
export function machineChecks({ location }: Patient): readonly Check[] {
  const isDirectory = location !== undefined && !isRedisUrl(location) && !location.includes('://')
  return [
    { name: 'this Node is new enough', run: () => Promise.resolve(nodeVersion(process.versions.node)) },
    ...(isDirectory
      ? [{ name: 'the files belong to their owner alone', run: () => Promise.resolve(fileModes(location)) }]
      : []),
  ]
}

function nodeVersion(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNew = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
  return isNew ? undefined : `it is ${version}; clientele needs ${oldestNode.join('.')} or newer`
}

/** The store narrows the modes when it is opened; what is wide all the same cannot be narrowed. */
function fileModes(directory: string): string | undefined {
  // Windows knows no such modes.
  if (process.platform === 'win32') return undefined
  const wanted = [
    ['.', 0o700],
    ['data.mdb', 0o600],
    ['lock.mdb', 0o600],
  ] as const
  return all(
    wanted.flatMap(([name, mode]) => {
      const found = statSync(join(directory, name), { throwIfNoEntry: false })
      if (found === undefined) return []
      const own = process.getuid?.()
      const foreign = own !== undefined && own !== 0 && found.uid !== own ? [`${name} belongs to another user`] : []
      const extra = found.mode & 0o777 & ~mode
      return extra === 0 ? foreign : [...foreign, `${name} has the mode ${(found.mode & 0o777).toString(8)}`]
    }),
  )
}
