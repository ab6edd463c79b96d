import type { BodyPath } from '../decisions/http-request.js'
import { formTextAt, withoutFormField } from './form-fields.js'
import { isJson, jsonTextAt, withoutJsonMember } from './json-members.js'
import type { BodyFormat } from './media-type.js'

/** What can be done with the text of a body. */
interface TextFormat {
  isValid(this: void, text: string): boolean
  textAt(this: void, text: string, path: BodyPath): readonly string[] | undefined
  /** All that remains is as it was, character for character. */
  without(this: void, text: string, path: BodyPath): string
}

export const bodyFormats: Readonly<Record<BodyFormat, TextFormat>> = {
  json: { isValid: isJson, textAt: jsonTextAt, without: withoutJsonMember },
  form: { isValid: () => true, textAt: formTextAt, without: withoutFormField },
}
