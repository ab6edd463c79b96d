import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvLine, readCsv } from '../../src/cli/csv.js'

const rowsOf = (text: string) => [...readCsv(text)]

describe('a CSV file', () => {
  it('is read with quotes, lines within cells and the line of each row', () => {
    expect(rowsOf('a,b\r\n"x, ""y""\nz",\r\n\r\nlast,"q"')).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['x, "y"\nz', ''] },
      { line: 5, cells: ['last', 'q'] },
    ])
    expect(rowsOf('')).toEqual([])
  })

  it('is refused with the line where it is not one', () => {
    for (const text of ['a,b\nx"y', 'a\n"b"c', 'a\nb,"c', 'a\n"b" "c"']) expect(() => rowsOf(text)).toThrow(/^line 2/)
  })

  it('gives back the cells that were written, where none looks like a formula', () => {
    const cell = fc.stringMatching(/^[a-z0-9 ,";.]*$/)
    fc.assert(
      fc.property(fc.array(cell, { minLength: 2, maxLength: 5 }), (cells) => {
        expect(rowsOf(csvLine(cells))).toEqual([{ line: 1, cells }])
      }),
    )
  })

  it('holds no formula, however it is disguised', () => {
    for (const text of ['=1', '+1', '-1', '@a', ' =1', '\t=1', '\u200b=1', '＝1', '|x']) {
      expect(csvLine([text])).toMatch(/^"?'/)
      // Behind what other spreadsheets part cells by.
      expect(csvLine([`Shop;${text}`])).toMatch(/^"Shop;'/)
    }
  })
})
