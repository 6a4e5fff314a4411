import type { AlertRule, AlertTurn } from '../data/monitor.ts';

/** How often a message is tried, once a minute; then it is dropped. */
const TRIES = 5;
/** Of one rule the latest so many wait: whoever takes none is not told of each turn of an hour. */
const MOST_OF_RULE = 2;
const AT_ONCE = 12;
/** Of one company so many are sent in a minute's turn: no company's silent receivers keep others from hearing. */
const MOST_OF_COMPANY = 4;
/** No more are begun after so long, ms: a minute later the next turn comes. */
const LONGEST = 20_000;

const TABLE =
  'create table if not exists waiting (seq integer primary key autoincrement, alert text not null, turn text not null, tries integer not null default 0)';

type Message = { seq: number; rule: AlertRule; turn: AlertTurn };

/** What owners of alerts are still to be told. Each is told by its rule as it is then: to its present address, or not at all. */
export class MessageBox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLE);
  }

  owe(alert: string, turn: AlertTurn): void {
    this.#sql.exec('insert into waiting (alert, turn) values (?, ?)', alert, JSON.stringify(turn));
    this.#sql.exec(
      'delete from waiting where alert = ? and seq not in (select seq from waiting where alert = ? order by seq desc limit ?)',
      alert,
      alert,
      MOST_OF_RULE,
    );
  }

  /** The rule is gone, and with it whatever was to be said. */
  drop(alert: string): void {
    this.#sql.exec('delete from waiting where alert = ?', alert);
  }

  /** Tries of each rule the first message that waits, so that none overtakes another; those tried least first. */
  async tell(
    ruleOf: (alert: string) => AlertRule | null,
    send: (rule: AlertRule, turn: AlertTurn) => Promise<boolean>,
    now: () => number = Date.now,
  ): Promise<void> {
    const began = now();
    const messages = this.#next(ruleOf);
    for (let first = 0; first < messages.length && now() - began < LONGEST; first += AT_ONCE)
      await Promise.all(
        messages.slice(first, first + AT_ONCE).map(async ({ seq, rule, turn }) => {
          // Whatever is wrong with one is a try of it: it keeps none of the others waiting.
          const taken = await send(rule, turn).catch(() => false);
          this.#sql.exec('update waiting set tries = tries + 1 where seq = ?', seq);
          this.#sql.exec('delete from waiting where seq = ? and (? or tries >= ?)', seq, taken ? 1 : 0, TRIES);
        }),
      );
  }

  #next(ruleOf: (alert: string) => AlertRule | null): Message[] {
    const rows = this.#sql
      .exec('select min(seq) as seq, alert, turn, tries from waiting group by alert order by tries, seq')
      .toArray();
    const companies = new Map<string, number>();
    return rows.flatMap(({ seq, alert, turn }) => {
      const rule = ruleOf(String(alert));
      if (rule === null) return [];
      const own = companies.get(rule.companyId) ?? 0;
      companies.set(rule.companyId, own + 1);
      return own < MOST_OF_COMPANY ? [{ seq: Number(seq), rule, turn: JSON.parse(String(turn)) as AlertTurn }] : [];
    });
  }
}
