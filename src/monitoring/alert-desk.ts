import type { AlertParts, AlertRule, AlertState, AlertTurn } from '../data/monitor.ts';
import { afterMinute, type Standing, standingAt } from './alert-state.ts';

/** How often a message is tried, once a minute; then it is dropped. */
const TRIES = 5;
const AT_ONCE = 6;
/** Messages of one minute at most; the others wait for the next. */
const MOST = 60;

const TABLES = `create table if not exists alerts (id text primary key, rule text not null, state text not null, since integer not null, minute integer not null, streak integer not null, value real) without rowid;
  create table if not exists messages (seq integer primary key autoincrement, alert text not null, rule text not null, turn text not null, tries integer not null default 0)`;

type Known = { rule: AlertRule; standing: Standing; value: number | null };

/** The rules as the monitor last read them, where each stands, and who is still to hear of it: kept here, so that it needs no Postgres. */
export class AlertDesk {
  readonly #sql: SqlStorage;
  readonly #parts: AlertParts;

  constructor(sql: SqlStorage, parts: AlertParts) {
    this.#sql = sql;
    this.#parts = parts;
    sql.exec(TABLES);
  }

  /** Judges every rule by a whole minute. @param figureAt the figure of that minute; null where nothing was measured */
  async minute(minute: number, figureAt: (metric: string) => number | null): Promise<void> {
    const fresh = await this.#parts.rules().catch(() => null);
    if (fresh !== null) this.#learn(fresh, minute);
    const kept: Known[] = [];
    for (const { rule, standing, value: last } of this.#known()) {
      const value = figureAt(rule.metric);
      const next = afterMinute(rule, standing, minute, value);
      const shown = next === standing ? last : value;
      this.#write(rule, next, shown);
      if (next.state !== standing.state && (next.state === 'FIRING' || standing.state === 'FIRING'))
        this.#owe(rule, { state: next.state, since: next.since, value });
      kept.push({ rule, standing: next, value: shown });
    }
    await this.#tell();
    // What its row says is put right, however it came to say something else.
    for (const { rule, standing, value } of kept)
      if (fresh !== null && rule.state !== standing.state)
        await this.#parts.keep(rule, { state: standing.state, since: standing.since, value }).catch(() => undefined);
  }

  #learn(rules: readonly AlertRule[], minute: number): void {
    const gone = new Set(this.#known().map(({ rule }) => rule.id));
    for (const rule of rules) {
      gone.delete(rule.id);
      const start = standingAt(minute);
      this.#sql.exec(
        `insert into alerts (id, rule, state, since, minute, streak) values (?, ?, ?, ?, ?, ?)
          on conflict (id) do update set rule = excluded.rule`,
        ...[rule.id, JSON.stringify(rule), start.state, start.since, start.minute, start.streak],
      );
    }
    for (const id of gone) this.#sql.exec('delete from alerts where id = ?', id);
  }

  #known(): Known[] {
    return this.#sql
      .exec('select rule, state, since, minute, streak, value from alerts order by id')
      .toArray()
      .map((row) => ({
        rule: JSON.parse(String(row.rule)) as AlertRule,
        standing: {
          ...{ state: row.state as AlertState, since: Number(row.since) },
          ...{ minute: Number(row.minute), streak: Number(row.streak) },
        },
        value: row.value === null ? null : Number(row.value),
      }));
  }

  #write({ id }: AlertRule, { state, since, minute, streak }: Standing, value: number | null): void {
    this.#sql.exec(
      'update alerts set state = ?, since = ?, minute = ?, streak = ?, value = ? where id = ?',
      ...[state, since, minute, streak, value, id],
    );
  }

  #owe(rule: AlertRule, turn: AlertTurn): void {
    this.#sql.exec(
      'insert into messages (alert, rule, turn) values (?, ?, ?)',
      rule.id,
      JSON.stringify(rule),
      JSON.stringify(turn),
    );
  }

  /** Of each rule the first message that waits, so that none overtakes another. */
  async #tell(): Promise<void> {
    const rows = this.#sql
      .exec('select min(seq) as seq, rule, turn, tries from messages group by alert order by seq limit ?', MOST)
      .toArray();
    for (let first = 0; first < rows.length; first += AT_ONCE)
      await Promise.all(
        rows.slice(first, first + AT_ONCE).map(async ({ seq, rule, turn, tries }) => {
          // Whatever is wrong with one is a try of it: it keeps none of the others waiting.
          const taken = await this.#parts
            .send(JSON.parse(String(rule)) as AlertRule, JSON.parse(String(turn)) as AlertTurn)
            .catch(() => false);
          if (taken || Number(tries) + 1 >= TRIES) this.#sql.exec('delete from messages where seq = ?', Number(seq));
          else this.#sql.exec('update messages set tries = tries + 1 where seq = ?', Number(seq));
        }),
      );
  }
}
