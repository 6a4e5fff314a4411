import type { AlertParts, AlertRule, AlertState, AlertTurn } from '../data/monitor.ts';
import { afterMinute, type Standing, standingAt } from './alert-state.ts';
import { MessageBox } from './message-box.ts';

const MINUTE = 60_000;
/** Minutes that were missed are judged too, so many at most: an alarm may be late, and a row of minutes is not to be broken by that. */
const MOST_MISSED = 10;
/** Rows that are put right in one minute; the others are in the next. */
const MOST_KEPT = 100;

const TABLES = `create table if not exists alerts (id text primary key, rule text not null, state text not null, since integer not null, minute integer not null, streak integer not null, value real) without rowid;
  create table if not exists judged (one integer primary key check (one = 1), minute integer not null)`;

type Known = { rule: AlertRule; standing: Standing; value: number | null };
type FigureAt = (minute: number, metric: string) => number | null;

/** What a rule is judged by: where that changes, it begins anew. */
const termsOf = ({ metric, comparison, threshold, hysteresis, forMinutes }: AlertRule): string =>
  JSON.stringify([metric, comparison, threshold, hysteresis, forMinutes]);

/** The rules as the monitor last read them, where each stands, and who is still to hear of it: kept here, so that it needs no Postgres. */
export class AlertDesk {
  readonly #sql: SqlStorage;
  readonly #parts: AlertParts;
  readonly #box: MessageBox;

  constructor(sql: SqlStorage, parts: AlertParts) {
    this.#sql = sql;
    this.#parts = parts;
    this.#box = new MessageBox(sql);
    sql.exec(TABLES);
  }

  /**
   * Judges every rule by a whole minute, and those before it that were missed, and tells of what came of it.
   * @param figureAt the figure of a minute; null where nothing was measured
   */
  async minute(minute: number, figureAt: FigureAt): Promise<void> {
    const fresh = await this.#parts.rules().catch(() => null);
    if (fresh !== null) this.#learn(fresh, minute);
    for (const each of this.#due(minute)) this.#judge(each, figureAt);
    // Telling first: it is what somebody waits for, and takes a bounded time whoever does not answer.
    await this.#box.tell((id) => this.#known(id)[0]?.rule ?? null, this.#parts.send);
    if (fresh !== null) await this.#keep(fresh);
  }

  /** What its row says is put right, however it came to say something else. */
  async #keep(fresh: readonly AlertRule[]): Promise<void> {
    const wrong = fresh.flatMap((rule) => {
      const [known] = this.#known(rule.id);
      return known === undefined || known.standing.state === rule.state ? [] : [known];
    });
    for (const { rule, standing, value } of wrong.slice(0, MOST_KEPT))
      await this.#parts.keep(rule, { state: standing.state, since: standing.since, value }).catch(() => undefined);
  }

  /** The minutes to be judged: this one, and those since the last. None where the clock stepped back. */
  #due(minute: number): number[] {
    const row = this.#sql.exec('select minute from judged').toArray()[0];
    const last = row === undefined ? minute - MINUTE : Number(row.minute);
    this.#sql.exec('insert or replace into judged (one, minute) values (1, ?)', minute);
    const first = last >= minute ? minute : Math.max(last + MINUTE, minute - MOST_MISSED * MINUTE);
    const due: number[] = [];
    for (let each = first; each <= minute; each += MINUTE) due.push(each);
    return due;
  }

  #judge(minute: number, figureAt: FigureAt): void {
    for (const { rule, standing, value: last } of this.#known()) {
      const value = figureAt(minute, rule.metric);
      const next = afterMinute(rule, standing, minute, value);
      this.#stand(rule, standing, next, next === standing ? last : value);
    }
  }

  #stand({ id }: AlertRule, before: Standing, next: Standing, value: number | null): void {
    this.#sql.exec(
      'update alerts set state = ?, since = ?, minute = ?, streak = ?, value = ? where id = ?',
      ...[next.state, next.since, next.minute, next.streak, value, id],
    );
    if (next.state !== before.state && (next.state === 'FIRING' || before.state === 'FIRING'))
      this.#box.owe(id, { state: next.state, since: next.since, value } satisfies AlertTurn);
  }

  /** Rules that are new are judged by the minutes behind this one, which began before they were there. */
  #learn(rules: readonly AlertRule[], minute: number): void {
    const before = new Map(this.#known().map((known) => [known.rule.id, known]));
    const start = standingAt(minute + MINUTE);
    for (const rule of rules) {
      const known = before.get(rule.id);
      before.delete(rule.id);
      this.#sql.exec(
        `insert into alerts (id, rule, state, since, minute, streak) values (?, ?, ?, ?, ?, ?)
          on conflict (id) do update set rule = excluded.rule`,
        ...[rule.id, JSON.stringify(rule), start.state, start.since, start.minute, start.streak],
      );
      if (known !== undefined && termsOf(known.rule) !== termsOf(rule)) this.#stand(rule, known.standing, start, null);
    }
    for (const id of before.keys()) {
      this.#sql.exec('delete from alerts where id = ?', id);
      this.#box.drop(id);
    }
  }

  #known(id: string | null = null): Known[] {
    return this.#sql
      .exec('select rule, state, since, minute, streak, value from alerts where id = coalesce(?, id) order by id', id)
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
}
