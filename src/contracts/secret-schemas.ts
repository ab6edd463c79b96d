import { z } from 'zod'
import type {
  ChosenSecret,
  GeneratedSecret,
  ImportedBcryptSecret,
  ImportedSha256Secret,
  StoredSecret,
} from './model.js'
import type { Shape } from './schema-shape.js'
import { id, instant } from './schema-words.js'

/** The most work that a record may ask of a check, all its lanes together: some 0.4 s. */
const maximumScryptBytes = 128 * 2 ** 20

const bytesBase64url = (minimum: number, maximum: number): z.ZodType<string> =>
  z.string().refine((text) => isBase64url(text, minimum, maximum), {
    error: `expected ${String(minimum)} to ${String(maximum)} bytes in base64url`,
  })

function isBase64url(text: string, minimum: number, maximum: number): boolean {
  const bytes = Math.floor((text.length * 3) / 4)
  return /^[A-Za-z0-9_-]+$/.test(text) && bytes >= minimum && bytes <= maximum
}

const base = { id, createdAt: instant, endsAt: instant.optional() }

const generated = z.strictObject({
  ...base,
  algorithm: z.literal('sha256'),
  hash: bytesBase64url(32, 32),
} satisfies Shape<GeneratedSecret>)

const chosen = z
  .strictObject({
    ...base,
    algorithm: z.literal('scrypt'),
    hash: bytesBase64url(32, 64),
    salt: bytesBase64url(16, 64),
    cost: z.int().min(1024).refine(isPowerOfTwo, { error: 'expected a power of two' }),
    blockSize: z.int().min(2).max(32),
    parallelization: z.int().min(1).max(4),
  } satisfies Shape<ChosenSecret>)
  .refine(({ cost, blockSize, parallelization }) => 128 * cost * blockSize * parallelization <= maximumScryptBytes, {
    path: ['cost'],
    error: 'asks for too much work; hash the secret again with a lower cost, block size or parallelization',
  })

function isPowerOfTwo(number: number): boolean {
  return Number.isInteger(Math.log2(number))
}

const importedSha256 = z.strictObject({
  ...base,
  algorithm: z.literal('imported-sha256'),
  hash: bytesBase64url(32, 32),
  salt: z.string().max(255).optional(),
} satisfies Shape<ImportedSha256Secret>)

/** A cost of 12 takes some 0.4 s in JavaScript; the longest that bcrypt knows would take weeks. */
const importedBcrypt = z.strictObject({
  ...base,
  algorithm: z.literal('imported-bcrypt'),
  hash: z
    .string()
    .regex(/^\$2[aby]\$(0[4-9]|1[0-2])\$[./A-Za-z0-9]{53}$/, 'expected a bcrypt hash of a cost from 4 to 12'),
} satisfies Shape<ImportedBcryptSecret>)

export const storedSecret = z.discriminatedUnion('algorithm', [
  generated,
  chosen,
  importedSha256,
  importedBcrypt,
]) satisfies z.ZodType<StoredSecret>

/** The same in a record that somebody else keeps: what a newer version has added is passed over. */
export const readSecret = z.discriminatedUnion('algorithm', [
  generated.strip(),
  chosen.strip(),
  importedSha256.strip(),
  importedBcrypt.strip(),
]) satisfies z.ZodType<StoredSecret>
