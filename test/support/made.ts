import { expect } from 'vitest';
import type { Api, Json } from './api.ts';

/** Makes objects by POST, which must succeed, and answers their public ids. */
export const maker =
  (api: Api) =>
  async (path: string, body: Json): Promise<string> => {
    const reply = await api.post(path, body);
    expect(reply.status, reply.text).toBe(201);
    return String(reply.json.id);
  };
