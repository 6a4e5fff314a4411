import { readFileSync, statSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { isAbsolute, join, relative, resolve } from 'node:path';

/** A line of ours. */
export interface Place {
  /** Relative to the project: `src/app.ts`. */
  file: string;
  line: number;
  column: number;
}

/** Turns places in the Worker's bundle into places in our sources. */
export class Places {
  readonly #root: string;
  #map: SourceMap | undefined;
  #folder = '';
  #source: { path: string; changed: number } | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** Reads the map of the bundle that runs from now on; without one, places stay as they are. */
  use(mapPath: string | undefined): void {
    if (mapPath === undefined) return;
    try {
      const changed = statSync(mapPath).mtimeMs;
      if (this.#source?.path === mapPath && this.#source.changed === changed) return;
      this.#map = new SourceMap(JSON.parse(readFileSync(mapPath, 'utf8')));
      this.#folder = join(mapPath, '..');
      this.#source = { path: mapPath, changed };
    } catch {
      // A build that follows at once takes the file away; the next one brings its own.
      this.#map = undefined;
    }
  }

  /** The source of a place in the bundle (both counted from 1), or undefined when it is not one of ours. */
  find(line: number, column: number): Place | undefined {
    const entry = this.#map?.findEntry(line - 1, column - 1);
    if (entry === undefined || !('originalSource' in entry)) return undefined;
    const path = resolve(this.#folder, entry.originalSource.replace(/^file:\/\//, ''));
    const file = relative(this.#root, path);
    if (file.startsWith('..') || isAbsolute(file)) return undefined;
    return { file, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }

  /** A frame of a stack with the place of its source, where there is one. */
  translate(frame: string): string {
    return frame.replace(/(?:file:\/\/)?[^\s()]*\.js:(\d+):(\d+)/g, (text, line: string, column: string) => {
      const place = this.find(Number(line), Number(column));
      return place === undefined ? text : `${place.file}:${place.line}:${place.column}`;
    });
  }

  /** The line of source a translated frame names, with a mark under its column; undefined when it cannot be read. */
  excerpt(frame: string): string[] | undefined {
    const [, file, line, column] = /((?:src|local)\/[^\s():]+):(\d+):(\d+)/.exec(frame) ?? [];
    if (file === undefined) return undefined;
    try {
      const text = readFileSync(join(this.#root, file), 'utf8').split('\n')[Number(line) - 1];
      if (text === undefined) return undefined;
      const gutter = `${line} | `;
      return [`${gutter}${text}`, `${' '.repeat(gutter.length + Number(column) - 1)}^`];
    } catch {
      return undefined;
    }
  }
}
