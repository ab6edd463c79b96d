import { join } from 'node:path'
import ts from 'typescript'
import type { CodeBlock } from './pages.js'

/**
 * Compiles blocks as modules of the project, all in one program, with the settings and paths of tsconfig.json. Blocks
 * of JavaScript are checked too, without demanding types of what they declare. Says place and reason of each error.
 */
export function compileErrors(root: string, blocks: readonly CodeBlock[]): string[] {
  return (['ts', 'js'] as const).flatMap((language) => {
    const chosen = blocks.filter((block) => block.language === language)
    return chosen.length === 0 ? [] : errorsOf(root, language, chosen)
  })
}

function errorsOf(root: string, language: 'ts' | 'js', blocks: readonly CodeBlock[]): string[] {
  const options = optionsFor(root, language)
  const modules = new Map(blocks.map((block) => [moduleName(root, block), block]))
  const texts = new Map([...modules].map(([name, block]) => [name, moduleText(block)]))
  const program = ts.createProgram([...modules.keys()], options, overlay(options, texts))
  return [...modules].flatMap(([name, block]) => {
    const source = program.getSourceFile(name)
    if (source === undefined) return [`${block.page}:${block.line}: the block did not become a module`]
    const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return diagnostics.map((diagnostic) => describe(block, source, diagnostic))
  })
}

function optionsFor(root: string, language: 'ts' | 'js'): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const forDocs = {
    ...options,
    noEmit: true,
    verbatimModuleSyntax: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  }
  return language === 'ts' ? forDocs : { ...forDocs, allowJs: true, checkJs: true, strict: false }
}

/** Beside the sources, so that packages and types are found as they are there. */
function moduleName(root: string, { page, line, language }: CodeBlock): string {
  return join(root, `docs-block-${page.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${line}.${language}`)
}

function moduleText({ preface, code }: CodeBlock): string {
  return `${preface}\n${code}\nexport {}\n`
}

function overlay(options: ts.CompilerOptions, texts: ReadonlyMap<string, string>): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  return {
    ...host,
    fileExists: (path) => texts.has(path) || host.fileExists(path),
    readFile: (path) => texts.get(path) ?? host.readFile(path),
    getSourceFile: (path, ...rest) => {
      const text = texts.get(path)
      return text === undefined ? host.getSourceFile(path, ...rest) : ts.createSourceFile(path, text, rest[0])
    },
  }
}

function describe(block: CodeBlock, source: ts.SourceFile, { start = 0, messageText }: ts.Diagnostic): string {
  const prefaceLines = block.preface.split('\n').length
  const line = source.getLineAndCharacterOfPosition(start).line - prefaceLines
  const message = ts.flattenDiagnosticMessageText(messageText, ' ')
  const place = line < 0 ? `${block.page}:${block.line} (its preface)` : `${block.page}:${block.line + line}`
  return `${place}: ${message}`
}
