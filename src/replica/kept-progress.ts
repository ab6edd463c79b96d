import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { elapsedSinceWritten, writeMoment } from '../runtime/moment.js'
import type { Progress } from './place.js'

const fileName = 'replica.json'
const writerName = 'replica.writer'
/** Made at random, for each process. */
const writerForm = /^[0-9a-f]{24}$/
/** The directory of a generation, as it is made here: whatever has another name is somebody else's. */
export const generationForm = /^records-[0-9a-f]{24}$/
const whole = z.int().min(0)

const schema = z.object({
  format: z.literal(1),
  /** The directory with the records. */
  generation: z.string().regex(generationForm),
  /** The number of its last commit: a file of before has a lower one. */
  transaction: whole,
  epoch: z.string().min(1),
  sequence: whole,
  count: whole,
  ageMs: z.number().min(0),
  writtenAt: z.object({ wallMs: z.number(), uptimeMs: z.number(), boot: z.string() }),
})

type Kept = z.infer<typeof schema>

/** The name of the generation in force and how far it has come, in one small file. */
export interface KeptProgress extends Progress {
  readonly generation: string
  readonly transaction: number
}

/** `undefined` where there is none that can be read. Its age goes on while no process runs. */
export function readProgress(directory: string): KeptProgress | undefined {
  const kept = parsed(join(directory, fileName))
  if (kept === undefined) return undefined
  const { format: _, writtenAt, ...progress } = kept
  return { ...progress, ageMs: progress.ageMs + elapsedSinceWritten(writtenAt) }
}

/** Whether there is one at all, readable or not. */
export function hasProgress(directory: string): boolean {
  return existsSync(join(directory, fileName))
}

/** On the disk when it returns, and whole: a reader finds the one of before or this one. */
export function writeProgress(directory: string, progress: KeptProgress): void {
  const ageMs = Math.min(progress.ageMs, Number.MAX_SAFE_INTEGER)
  const kept: Kept = { ...progress, ageMs, format: 1, writtenAt: writeMoment() }
  replaceFile(directory, fileName, JSON.stringify(kept))
}

/** Whether there is nothing in it yet, or no such directory. A process may have been killed in the middle of `claim`. */
export function isUnused(directory: string): boolean {
  if (!existsSync(directory)) return true
  return readdirSync(directory).every((name) => name === `${writerName}.draft`)
}

/** Whether a replica has been kept in it before, by whatever process. */
export function isClaimed(directory: string): boolean {
  const path = join(directory, writerName)
  return existsSync(path) && writerForm.test(readFileSync(path, 'utf8'))
}

/** Says whose the directory is from here on: no two processes may keep one in step. */
export function claim(directory: string, writer: string): void {
  replaceFile(directory, writerName, writer)
}

export function isClaimedBy(directory: string, writer: string): boolean {
  return readFileSync(join(directory, writerName), 'utf8') === writer
}

function replaceFile(directory: string, name: string, text: string): void {
  const draft = join(directory, `${name}.draft`)
  const descriptor = openSync(draft, 'w', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(draft, join(directory, name))
  syncDirectory(directory)
}

/** A name is on the disk when its directory is. Where directories cannot be opened, the system sees to it. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function parsed(path: string): Kept | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}
