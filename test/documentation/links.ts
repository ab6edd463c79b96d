import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { lineAt, proseOf, type Page } from './pages.js'

/** Inline links and images, definitions, and the attributes of HTML. */
const targets = /\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)="([^"]+)"/gm

/** Relative links that lead nowhere, and anchors that their page does not have. */
export function brokenLinks(root: string, page: Page): string[] {
  const prose = proseOf(page)
  return [...prose.matchAll(targets)].flatMap((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? ''
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return []
    const problem = problemOf(root, page, target)
    return problem === undefined ? [] : [`${page.path}:${lineAt(prose, match.index)}: ${target}: ${problem}`]
  })
}

function problemOf(root: string, page: Page, target: string): string | undefined {
  const [path = '', anchor] = target.split('#')
  if (path === '') return anchorProblem(page, anchor)
  const file = join(root, dirname(page.path), decodeURI(path))
  if (relative(root, file).startsWith('..')) return 'leads out of the project'
  if (!existsSync(file)) return 'there is no such file'
  return file.endsWith('.md') ? anchorProblem({ path, text: readFileSync(file, 'utf8') }, anchor) : undefined
}

function anchorProblem(page: Page, anchor: string | undefined): string | undefined {
  return anchor === undefined || anchorsOf(page).has(anchor) ? undefined : 'the page has no such heading'
}

/** As GitHub makes them of headings: lower case, punctuation out, spaces to hyphens, repetitions numbered. */
export function anchorsOf(page: Page): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withCodeSpans(page).matchAll(/^#{1,6}[ \t]+(.+?)[ \t]*#*$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '')
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  for (const [, id = ''] of page.text.matchAll(/<a\s[^>]*(?:id|name)="([^"]+)"/g)) anchors.add(id)
  return anchors
}

/** Headings may hold code; what stands in fences holds no headings. */
function withCodeSpans({ text }: Page): string {
  return text.replaceAll(/^[ \t]*(`{3,}|~{3,})[\s\S]*?^[ \t]*\1[ \t]*$/gm, '')
}
