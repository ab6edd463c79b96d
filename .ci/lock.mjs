// A lock that lacks packages for other platforms fails `npm ci` there, and with some versions of npm everywhere.
import { readFileSync } from 'node:fs'

const text = readFileSync('package-lock.json', 'utf8')
const { packages } = JSON.parse(text)

const stands = (path, name) => {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true
    if (at === '') return false
  }
}
const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
  Object.keys(optionalDependencies).filter((name) => !stands(path, name)),
)
if (missing.length > 0) throw new Error(`package-lock.json lacks ${missing.join(', ')}`)
if (text.includes('"resolved": "http')) throw new Error('package-lock.json holds download addresses')
console.log('package-lock.json is whole')
