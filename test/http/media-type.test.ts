import { describe, expect, it } from 'vitest'
import { bodyFormatOf } from '../../src/http/media-type.js'

describe('bodyFormatOf', () => {
  it.each<[string, ...string[]]>([
    ['json', 'application/json'],
    ['json', 'Application/JSON'],
    ['json', 'application/json;charset=utf-8'],
    ['json', 'application/json ; charset=UTF-8'],
    ['json', 'application/json; charset="utf-8"; profile="a;b, \\"c\\""'],
    ['json', 'application/json; odata=verbose'],
    ['json', 'application/vnd.api+json'],
    ['json', 'image/x+json'],
    ['json', 'application/csp-report'],
    ['json', 'application/csp-report; charset=utf-8'],
    ['json', 'application/json-patch+json'],
    ['form', 'application/x-www-form-urlencoded'],
    ['form', 'application/x-www-form-urlencoded; charset=utf-8'],
    ['other'],
    ['other', ''],
    ['other', 'text/plain'],
    ['other', 'multipart/form-data; boundary=x'],
    ['other', 'multipart/form-data; boundary=x; type="application/json"'],
    ['other', 'text/plain; charset=utf-16'],
    ['other', 'application/json+x'],
    ['other', 'application/jsonx'],
    ['other', 'text/json'],
    ['other', 'text/plain', 'text/html'],
    ['unclear', 'application/json\t;charset=utf-8'],
    ['unclear', 'application/json;\tcharset=utf-8'],
    ['unclear', 'application/json;'],
    ['unclear', 'application/json; charset'],
    ['unclear', 'application/json; charset='],
    ['unclear', 'application/json; charset = utf-8'],
    ['unclear', 'application/json; charset=utf8'],
    ['unclear', 'application/json; charset=utf-16'],
    ['unclear', 'application/json; charset=utf-8; charset=utf-16'],
    ['unclear', 'application/json; charset=utf-8; CHARSET=utf-8'],
    ['unclear', 'application/x-www-form-urlencoded; charset=iso-8859-1'],
    ['unclear', 'application/json, text/plain'],
    ['unclear', 'text/plain, application/json'],
    ['unclear', 'application/json application/x'],
    ['unclear', '"application/json"'],
    ['unclear', 'application/json\u00e9'],
    ['unclear', 'application /json'],
    ['unclear', 'application/json; a=b c=d'],
    ['unclear', 'application/csp-report; charset=latin1'],
    ['unclear', 'application/json', 'text/plain'],
    ['unclear', 'text/plain', 'application/json'],
    ['unclear', 'application/json', 'application/json'],
    ['unclear', 'text/plain', 'application/x-www-form-urlencoded'],
  ])('%s: %s %s', (expected, ...values) => {
    expect(bodyFormatOf(values)).toBe(expected)
  })

  it('takes no time over a value that is made to be slow', () => {
    const start = performance.now()
    for (const part of ['; a=b', ' ;', '"', '\\"', '; a="', ';a=b ', '/'])
      bodyFormatOf([`application/json${part.repeat(4000)}!`])
    expect(performance.now() - start).toBeLessThan(500)
  })
})
