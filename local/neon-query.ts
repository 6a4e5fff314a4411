import type pg from 'pg';

/** One statement as the driver sends it; parameters are already text. `arrayMode` null: as the request says. */
export interface Statement {
  query: string;
  params: (string | null)[];
  arrayMode: boolean | null;
}

/** One statement's outcome; `rows` are finished JSON, so that a large answer is written once and counted as it comes. */
export interface StatementResult {
  fields: pg.FieldDef[];
  rows: string[];
  command: string;
  rowCount: number | null;
  rowAsArray: boolean;
}

/** How rows are written, and how many bytes of JSON there may be before one more row is refused. */
export interface Shape {
  asArrays: boolean;
  mostBytes: number;
}

/** The answer grew beyond what the hosted proxy gives. */
export class TooLarge extends Error {
  constructor(most: number) {
    super(`response is too large (max is ${most} bytes)`);
  }
}

interface WireConnection {
  stream: { cork(): void; uncork(): void };
  parse(statement: { text: string; name: string }): void;
  bind(values: { values: (string | null)[] }): void;
  describe(target: { type: 'P'; name: string }): void;
  execute(): void;
  sync(): void;
  sendCopyFail(reason: string): void;
}

/**
 * Runs statements as one pipeline with a single Sync: one write, one read, and after the first error Postgres skips
 * the rest by itself. It speaks pg's (internal but stable) Submittable interface, because pg's own queries parse every
 * value. `done` is called once, with an error or all results.
 */
export class Pipeline {
  readonly results: StatementResult[] = [];
  bytes: number;
  readonly #statements: readonly Statement[];
  readonly #shape: Shape;
  readonly #done: (error: Error | undefined) => void;
  #fields: pg.FieldDef[] = [];
  #rows: string[] = [];
  #tooLarge = false;

  /** @param before bytes of the answer that earlier pipelines have filled */
  constructor(
    statements: readonly Statement[],
    shape: Shape,
    before: number,
    done: (error: Error | undefined) => void,
  ) {
    this.#statements = statements;
    this.#shape = shape;
    this.#done = done;
    this.bytes = before;
  }

  submit(connection: WireConnection): void {
    connection.stream.cork();
    for (const { query, params } of this.#statements) {
      connection.parse({ text: query, name: '' });
      connection.bind({ values: params });
      connection.describe({ type: 'P', name: '' });
      connection.execute();
    }
    connection.sync();
    connection.stream.uncork();
  }

  handleRowDescription(message: { fields: pg.FieldDef[] }): void {
    this.#fields = message.fields;
    this.bytes += 120 * message.fields.length;
  }

  handleDataRow(message: { fields: (string | null)[] }): void {
    // Looked at before each row, as there: the last one may lie across the limit.
    this.#tooLarge ||= this.bytes > this.#shape.mostBytes;
    if (this.#tooLarge) return;
    const row = JSON.stringify(this.#asArray() ? message.fields : this.#asObject(message.fields));
    this.bytes += Buffer.byteLength(row) + 1;
    this.#rows.push(row);
  }

  handleCommandComplete(message: { text: string }): void {
    this.#finishStatement(message.text);
  }

  handleEmptyQuery(): void {
    this.#finishStatement('');
  }

  handleCopyInResponse(connection: WireConnection): void {
    connection.sendCopyFail('COPY is not possible over HTTP');
  }

  handleCopyData(): void {}

  handlePortalSuspended(): void {}

  handleError(error: Error): void {
    this.#done(error);
  }

  handleReadyForQuery(): void {
    this.#done(this.#tooLarge ? new TooLarge(this.#shape.mostBytes) : undefined);
  }

  #asArray(): boolean {
    return this.#statements[this.results.length]?.arrayMode ?? this.#shape.asArrays;
  }

  #asObject(values: (string | null)[]): Record<string, string | null> {
    return Object.fromEntries(this.#fields.map(({ name }, index) => [name, values[index] ?? null]));
  }

  #finishStatement(tag: string): void {
    const words = tag.split(' ');
    // INSERT's tag names an obsolete OID before the row count.
    const count = Number.parseInt((words[0] === 'INSERT' ? words[2] : words[1]) ?? '', 10);
    this.results.push({
      fields: this.#fields,
      rows: this.#rows,
      command: words[0] ?? '',
      rowCount: Number.isNaN(count) ? null : count,
      rowAsArray: this.#asArray(),
    });
    this.#fields = [];
    this.#rows = [];
  }
}

/** Runs the statements on `client` (see Pipeline); rejects with TooLarge, pg's DatabaseError or the socket's error. */
export function runPipeline(
  client: pg.Client,
  statements: readonly Statement[],
  shape: Shape,
  before: number = 0,
): Promise<{ results: StatementResult[]; bytes: number }> {
  return new Promise((resolve, reject) => {
    const pipeline = new Pipeline(statements, shape, before, (error) => {
      if (error === undefined) resolve(pipeline);
      else reject(error);
    });
    // pg's types show only `submit` of the interface its client calls.
    client.query(pipeline as unknown as pg.Submittable);
  });
}
