import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { instant } from '../../http/schemas.ts';

export const OUTCOMES = ['DELIVERED', 'FAILED', 'DEAD', 'SKIPPED'] as const;

const ERROR =
  'Null when it was taken. `status`: no 2xx; `redirect`; `gone`: 410; `timeout`; `unreachable`; `forbidden_url`, `forbidden_address`: not to be called; `unresolved`: nobody could tell what the name leads to; `log_trimmed`: no longer kept.';

export const WebhookDelivery = lazy(() =>
  z
    .object({
      id: z.string().describe('Unique in the webhook.'),
      revision: z.int().describe('Of the event; of skipped ones the last.'),
      skippedFrom: z.int().nullable().describe('Of skipped ones the first revision.'),
      eventId: z.string().nullable().describe('As `GET /events` names it; null of skipped ones.'),
      type: z.string().nullable().describe('Of the event.'),
      status: z
        .enum(OUTCOMES)
        .describe('FAILED: it is tried again at `nextAttemptAt`, and what follows waits. DEAD: given up after a day.'),
      attempt: z.int().describe('The how-manieth at this event.'),
      responseStatus: z.int().nullable().describe('What the receiver answered; null without an answer.'),
      error: z.string().nullable().describe(ERROR),
      durationMs: z.int().describe('How long it took.'),
      at: instant('When it ended.'),
      nextAttemptAt: instant('When it is tried again.').nullable(),
    })
    .meta({
      id: 'WebhookDelivery',
      examples: [
        {
          id: 'dlv_17',
          revision: 42,
          skippedFrom: null,
          eventId: 'evt_42',
          type: 'appointment.created',
          status: 'FAILED',
          attempt: 1,
          responseStatus: 500,
          error: 'status',
          durationMs: 130,
          at: '2026-03-02T09:30:00.000Z',
          nextAttemptAt: '2026-03-02T09:30:05.000Z',
        },
      ],
    }),
);

export const WebhookPing = lazy(() =>
  z
    .object({
      delivered: z.boolean().describe('Whether it was answered with 2xx.'),
      responseStatus: z.int().nullable().describe('What the receiver answered; null without an answer.'),
      error: z.string().nullable().describe('As in a delivery.'),
      durationMs: z.int().describe('How long it took.'),
    })
    .meta({
      id: 'WebhookPing',
      examples: [{ delivered: true, responseStatus: 204, error: null, durationMs: 85 }],
    }),
);

export const ReplayRequest = lazy(() =>
  z
    .strictObject({
      after: z
        .int()
        .min(0, 'Must be a revision.')
        .describe('Events behind this revision are sent once more, in order; `head` of `GET /events` skips the rest.'),
    })
    .meta({ id: 'WebhookReplay', examples: [{ after: 41 }] }),
);

export const ReplayStarted = lazy(() =>
  z
    .object({
      after: z.int().describe('Where it begins.'),
      head: z.int().describe('Where the company is.'),
      epoch: z.string().describe('Names the history.'),
    })
    .meta({
      id: 'WebhookReplayStarted',
      examples: [{ after: 41, head: 60, epoch: '01890a5d-ac96-774b-bcce-b302099a8057' }],
    }),
);
