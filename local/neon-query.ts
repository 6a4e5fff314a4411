import type pg from 'pg';

/** One statement as the driver sends it; parameters are already text. */
export interface Statement {
  query: string;
  params: (string | null)[];
}

/** One statement's outcome in the shape of Neon's answer, values as unparsed text. */
export interface StatementResult {
  fields: pg.FieldDef[];
  rows: (string | null)[][];
  command: string;
  rowCount: number | null;
  rowAsArray: boolean;
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
 * the rest by itself. `wrap` adds BEGIN and COMMIT around them. It speaks pg's (internal but stable) Submittable
 * interface, because pg's own queries parse every value. `done` is called once, with an error or all results.
 */
export class Pipeline {
  readonly results: StatementResult[] = [];
  readonly #statements: Statement[];
  readonly #begin: string | undefined;
  readonly #done: (error: Error | undefined) => void;
  #step = 0;
  #fields: pg.FieldDef[] = [];
  #rows: (string | null)[][] = [];

  constructor(statements: Statement[], begin: string | undefined, done: (error: Error | undefined) => void) {
    this.#statements = statements;
    this.#begin = begin;
    this.#done = done;
  }

  submit(connection: WireConnection): void {
    connection.stream.cork();
    if (this.#begin !== undefined) send(connection, { query: this.#begin, params: [] });
    for (const statement of this.#statements) send(connection, statement);
    if (this.#begin !== undefined) send(connection, { query: 'commit', params: [] });
    connection.sync();
    connection.stream.uncork();
  }

  handleRowDescription(message: { fields: pg.FieldDef[] }): void {
    this.#fields = message.fields;
  }

  handleDataRow(message: { fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
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
    this.#done(undefined);
  }

  #finishStatement(tag: string): void {
    const step = this.#begin === undefined ? this.#step : this.#step - 1;
    this.#step += 1;
    // BEGIN and COMMIT are ours, not the caller's.
    if (step < 0 || step >= this.#statements.length) return;
    const words = tag.split(' ');
    // INSERT's tag names an obsolete OID before the row count.
    const count = Number.parseInt((words[0] === 'INSERT' ? words[2] : words[1]) ?? '', 10);
    this.results.push({
      fields: this.#fields,
      rows: this.#rows,
      command: words[0] ?? '',
      rowCount: Number.isNaN(count) ? null : count,
      rowAsArray: true,
    });
    this.#fields = [];
    this.#rows = [];
  }
}

function send(connection: WireConnection, statement: Statement): void {
  connection.parse({ text: statement.query, name: '' });
  connection.bind({ values: statement.params });
  connection.describe({ type: 'P', name: '' });
  connection.execute();
}

/** Runs the statements on `client` (see Pipeline); rejects with pg's DatabaseError or the socket's error. */
export function runPipeline(client: pg.Client, statements: Statement[], begin?: string): Promise<StatementResult[]> {
  return new Promise((resolve, reject) => {
    const pipeline = new Pipeline(statements, begin, (error) => {
      if (error === undefined) resolve(pipeline.results);
      else reject(error);
    });
    // pg's types show only `submit` of the interface its client calls.
    client.query(pipeline as unknown as pg.Submittable);
  });
}
