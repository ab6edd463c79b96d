import { InvalidArgumentError } from 'commander'
import type { LimitInput } from '../contracts/limit-schemas.js'

const secondsIn = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const duration = /^(\d+(?:\.\d+)?)([smhd])$/

/** `90s`, `15m`, `12h`, `7d`, and `0`. */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  const [, amount, unit] = duration.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('Expected a duration as in 90s, 15m, 12h or 7d.')
  return Number(amount) * secondsIn[unit as keyof typeof secondsIn]
}

/** `100/60s`, or a limit as JSON. What is in it is checked by the lifecycle. */
export function parseLimit(text: string, before: readonly LimitInput[] = []): LimitInput[] {
  return [...before, text.startsWith('{') ? limitInJson(text) : limitInWords(text)]
}

function limitInWords(text: string): LimitInput {
  const [requests = '', window = '', ...rest] = text.split('/')
  if (!/^\d+$/.test(requests) || rest.length > 0) {
    throw new InvalidArgumentError('Expected requests per window as in 100/60s, or a limit as JSON.')
  }
  return { requests: Number(requests), windowSeconds: parseDuration(window) }
}

function limitInJson(text: string): LimitInput {
  try {
    return JSON.parse(text) as LimitInput
  } catch {
    throw new InvalidArgumentError('The limit is not valid JSON.')
  }
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1 on.')
  return Number(text)
}

/** For options that know few words: a misspelt one would list nothing, and look like an answer. */
export function oneOf(...words: readonly string[]): (text: string) => string {
  return (text) => {
    if (words.includes(text)) return text
    throw new InvalidArgumentError(`Expected one of ${words.join(', ')}.`)
  }
}
