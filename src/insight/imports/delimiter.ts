/** What separates the cells of a file: as RFC 4180 has it, as spreadsheets of half of Europe do, or tabs. */
export type Delimiter = ',' | ';' | '\t';

const DELIMITERS: readonly Delimiter[] = [',', ';', '\t'];

/** Cells of a line as far as guessing needs them: quotes keep delimiters in. */
function cellsOf(line: string, delimiter: Delimiter): string[] {
  const cells = [''];
  let quoted = false;
  for (const char of line) {
    if (char === '"') quoted = !quoted;
    else if (char === delimiter && !quoted) cells.push('');
    else cells[cells.length - 1] += char;
  }
  return cells.map((cell) => cell.trim());
}

/** The delimiter under which the header names most known columns, then the one that cuts it most often. */
export function delimiterOf(header: string, known: (name: string) => boolean): Delimiter {
  const scores = DELIMITERS.map((delimiter) => {
    const cells = cellsOf(header, delimiter);
    return { delimiter, named: cells.filter(known).length, cells: cells.length };
  });
  scores.sort((a, b) => b.named - a.named || b.cells - a.cells);
  return scores[0]?.delimiter ?? ',';
}

/** `sep=;`: a spreadsheet's own first line, which is no header. Null when the line is none. */
export function declared(line: string): Delimiter | null {
  const char = /^sep=(.)$/i.exec(line)?.[1];
  return DELIMITERS.find((delimiter) => delimiter === char) ?? null;
}

/** Where the first line that is not blank ends, outside quotes: [start, end), or null while it has not ended. */
export function firstLine(text: string, whole: boolean): { line: string; start: number; next: number } | null {
  let start = 0;
  while (start < text.length && (text[start] === '\n' || text[start] === '\r')) start += 1;
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    else if (!quoted && (char === '\n' || char === '\r')) return { line: text.slice(start, at), start, next: at + 1 };
  }
  return whole ? { line: text.slice(start), start, next: text.length } : null;
}
