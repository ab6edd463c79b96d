import { ways, type Way } from './run.js'

export interface Point {
  readonly processes: number
  readonly lowest: number
  readonly median: number
  readonly highest: number
}

const size = { width: 720, height: 360, left: 64, right: 210, top: 24, bottom: 48 }
const colours: Readonly<Record<Way, string>> = {
  exact: '#1b6ca8',
  lease: '#2a9d4a',
  'lease, one killed a minute': '#b8860b',
  localShare: '#c0392b',
}

/** What was admitted of a limit: for each way a line through the medians, and a bar from the lowest to the highest. */
export function picture(series: ReadonlyMap<Way, readonly Point[]>): string {
  const points = [...series.values()].flat()
  const lowest = Math.floor(Math.min(...points.map((point) => point.lowest)) * 10) / 10
  const highest = Math.ceil(Math.max(1, ...points.map((point) => point.highest)) * 10) / 10
  const plot = { width: size.width - size.left - size.right, height: size.height - size.top - size.bottom }
  const counts = [...new Set(points.map(({ processes }) => processes))]
  const x = (processes: number): number => size.left + (counts.indexOf(processes) / (counts.length - 1)) * plot.width
  const y = (part: number): number => size.top + ((highest - part) / (highest - lowest)) * plot.height
  const marks = Array.from({ length: Math.round((highest - lowest) * 10) + 1 }, (_, index) => lowest + index / 10)
  const lines = [
    ...marks.map((part) => rule(y(part), `${String(Math.round(part * 100))} %`, Math.abs(part - 1) < 1e-9)),
    ...counts.map((count) => text(x(count), size.height - size.bottom + 20, String(count), 'middle')),
    text(size.left + plot.width / 2, size.height - 10, 'processes', 'middle'),
    ...ways.flatMap((way, index) => curve(way, index, series.get(way) ?? [], x, y)),
  ]
  const title = 'Admitted in a window, as a part of the limit'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<rect width="${size.width}" height="${size.height}" fill="#ffffff"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}

function curve(
  way: Way,
  index: number,
  points: readonly Point[],
  x: (processes: number) => number,
  y: (part: number) => number,
): string[] {
  const colour = colours[way]
  const at = (point: Point): number => x(point.processes) + (index - 1.5) * 6
  const path = points.map((point) => `${round(at(point))},${round(y(point.median))}`).join(' ')
  const legendY = size.top + 16 + index * 22
  const legendX = size.width - size.right + 24
  return [
    ...points.map(
      (point) =>
        `<line x1="${round(at(point))}" x2="${round(at(point))}" y1="${round(y(point.lowest))}" y2="${round(y(point.highest))}" stroke="${colour}" stroke-width="3" stroke-linecap="round" opacity="0.5"/>`,
    ),
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    `<line x1="${legendX}" x2="${legendX + 20}" y1="${legendY - 4}" y2="${legendY - 4}" stroke="${colour}" stroke-width="3"/>`,
    text(legendX + 26, legendY, way, 'start'),
  ]
}

function rule(y: number, label: string, isLimit: boolean): string {
  const line = `<line x1="${size.left}" x2="${size.width - size.right}" y1="${round(y)}" y2="${round(y)}" stroke="${isLimit ? '#333333' : '#dddddd'}"/>`
  return `${line}\n${text(size.left - 8, y + 4, label, 'end')}`
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-family="sans-serif" font-size="12" fill="#333333">${content}</text>`
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10)
}
