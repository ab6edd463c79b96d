import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** What the tests of a file are called: the first text given to `it`, `describe`, `it.each(…)` and the like. */
export function testTitles(root: string, file: string): ReadonlySet<string> {
  const text = readFileSync(join(root, file), 'utf8')
  const titles = new Set<string>()
  const visit = (node: ts.Node): void => {
    const [title] = ts.isCallExpression(node) ? node.arguments : []
    if (title !== undefined && ts.isStringLiteralLike(title)) titles.add(title.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest))
  return titles
}
