import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** As much of a Durable Object's SQL as its users need, on a database in memory. */
export function memory(): SqlStorage {
  const database = new DatabaseSync(':memory:');
  const exec = (text: string, ...values: SQLInputValue[]) => {
    const statements = text.split(';').filter((statement) => statement.trim() !== '');
    for (const statement of statements.slice(0, -1)) database.exec(statement);
    const rows = database.prepare(statements.at(-1) ?? '').all(...values);
    return { toArray: () => rows, one: () => rows[0] };
  };
  return { exec } as unknown as SqlStorage;
}
