import type { Tenant } from '../support/api.ts';
import { fixtures, unique } from '../support/fixtures.ts';
import { operationNamed } from '../support/operations.ts';
import { bodyOf, type Route } from '../support/routes.ts';
import type { Wire } from './caller.ts';
import { edited } from './edits.ts';
import type { Pantry, Side } from './pantry.ts';
import type { Caller, Cursor, Form, Id, Recipe } from './recipe.ts';
import { write } from './values.ts';

/** What a recipe is cooked with. */
export type Kitchen = {
  pantry: Pantry;
  tokens: Readonly<Record<Caller, string | null>>;
  tenant: Tenant;
  /** The token of a session that may be ended. */
  visitor: string | null;
};

export const sideOf = (caller: Caller): Side => (caller === 'other' ? 'other' : 'own');

function idText({ kind, pick, text }: Id, topic: string, side: Side, pantry: Pantry): string {
  const own = pantry.id(side, topic, pick);
  switch (kind) {
    case 'own':
      return own;
    case 'other':
      return pantry.id(side === 'own' ? 'other' : 'own', topic, pick);
    case 'upper':
      return own.toUpperCase();
    case 'short':
      return own.slice(0, pick % (own.length + 1));
    case 'prefix':
      return `x${own}`;
    case 'topic':
      return pantry.anyId(pick);
    case 'text':
      return text;
  }
}

function cursorText({ kind, pick }: Cursor, side: Side, pantry: Pantry): string {
  const { cursor } = pantry.walks[pick % Math.max(1, pantry.walks.length)] ?? { cursor: 'nothing' };
  switch (kind) {
    case 'short':
      return cursor.slice(0, pick % cursor.length);
    case 'flipped': {
      const at = pick % cursor.length;
      return cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
    }
    case 'lying': {
      const lie = Buffer.from(JSON.stringify([1, 'x', 1, pantry.id(side, 'clients', pick), [null, {}]])).toString(
        'base64url',
      );
      return lie + cursor.slice(-22);
    }
    default:
      return cursor;
  }
}

function queryText({ query, cursor }: Recipe, side: Side, pantry: Pantry): string {
  const parts = query.map(({ name, text, raw }) =>
    raw
      ? `${encodeURIComponent(name.toWellFormed())}=${text}`
      : `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(text.toWellFormed())}`,
  );
  if (cursor !== null) parts.push(`cursor=${encodeURIComponent(cursorText(cursor, side, pantry))}`);
  // Longer targets are refused by the runtime before they are ours.
  return parts.length === 0 ? '' : `?${parts.join('&')}`.slice(0, 12_000);
}

function bytesOf(text: string, { kind, at }: Form): Buffer {
  const cut = Math.floor((text.length * at) / 101);
  switch (kind) {
    case 'truncated':
      return Buffer.from(text.slice(0, cut));
    case 'bom':
      return Buffer.from(`\ufeff${text}`);
    case 'duplicate':
      return Buffer.from(text.replace(/^\{("(?:[^"\\]|\\.)*":)/, '{$1null,$1'));
    case 'bytes':
      return Buffer.concat([
        Buffer.from(text.slice(0, cut)),
        Buffer.from([0xc3, 0x28, 0xff]),
        Buffer.from(text.slice(cut)),
      ]);
    case 'two':
      return Buffer.from(`${text}\n${text}`);
    case 'large':
      return Buffer.from(text.padEnd(1024 * 1024 + 1 + at));
    case 'utf16':
      return Buffer.from(text, 'utf16le');
    default:
      return Buffer.from(text);
  }
}

async function bodyText(recipe: Recipe, { pantry, tenant }: Kitchen): Promise<string | null> {
  const { base, edits } = recipe;
  const { spec, name, topic } = operationNamed(recipe.route);
  const fixture = fixtures[topic] ?? {};
  const file = fixture.files?.[name];
  if (file !== undefined) return file.text(unique());
  if (spec.body === undefined && edits.length < 3) return null;
  const route: Route = { spec, name, topic, method: spec.method.toUpperCase(), fixture };
  const body = base === null ? await bodyOf(route, tenant) : base.value;
  const made = edited(body ?? {}, edits, (pick) => pantry.anyId(pick));
  return made === undefined ? '' : write(made);
}

/** The request that a recipe stands for, now. */
export async function cook(recipe: Recipe, kitchen: Kitchen): Promise<Wire> {
  const { caller, form } = recipe;
  const { spec, name, topic } = operationNamed(recipe.route);
  const side = sideOf(caller);
  const file = fixtures[topic]?.files?.[name];
  const at = spec.path.replace(/:[A-Za-z]+/, () => idText(recipe.id, topic, side, kitchen.pantry));
  const walks = kitchen.pantry.walks.filter((walk) => walk.side === side && walk.path.startsWith(`${at}?`));
  const walk = recipe.cursor?.kind === 'walk' ? walks[recipe.cursor.pick % Math.max(1, walks.length)] : undefined;
  const query =
    walk === undefined
      ? queryText(recipe, side, kitchen.pantry)
      : `${walk.path.slice(at.length)}&cursor=${encodeURIComponent(walk.cursor)}`;
  const whole = file === undefined ? query : `${file.query}${query.replace('?', '&')}`;
  const text = form.kind === 'absent' ? null : await bodyText(recipe, kitchen);
  const own = kitchen.tokens[caller];
  const token = own !== null && /^\/auth\/(?:logout|password)$/.test(spec.path) ? kitchen.visitor : own;
  const headers: Record<string, string> = {
    ...(token !== null && { Authorization: `Bearer ${token}` }),
    ...(text !== null && { 'Content-Type': file?.type ?? 'application/json' }),
    ...Object.fromEntries(recipe.headers.map((header) => [header.name, header.text])),
  };
  const body = text === null ? null : bytesOf(text, form);
  headers['Content-Length'] = String(body?.byteLength ?? 0);
  return { method: recipe.method ?? spec.method.toUpperCase(), path: `/api/v1${at}${whole}`, headers, body };
}
