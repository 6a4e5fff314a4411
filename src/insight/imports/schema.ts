import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';

export const IMPORT_STATUSES = ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED'] as const;

const FAULTY = {
  row: 7,
  status: 'FAILED',
  errors: [{ pointer: '/email', code: 'invalid_format', detail: 'Must be an e-mail address.' }],
};
const example = {
  id: 'imp_01h455vb4pex5vsknk084sn02q',
  status: 'COMPLETED',
  dryRun: false,
  resource: 'clients',
  total: 120,
  created: 100,
  updated: 12,
  unchanged: 7,
  failed: 1,
  error: null,
  createdAt: '2026-03-02T09:30:00.000Z',
  finishedAt: '2026-03-02T09:30:04.000Z',
};

/** A job as lists show it: a report may have megabytes. */
export const ImportSummary = lazy(() =>
  z
    .object({
      id: z.string(),
      status: z.enum(IMPORT_STATUSES),
      dryRun: z.boolean().describe('Nothing is stored; the counts are what a real import would do.'),
      resource: z.string(),
      total: z.int().describe('Rows of the file, without header.'),
      created: z.int(),
      updated: z.int(),
      unchanged: z.int().describe('Found as they are: a repeated import changes nothing.'),
      failed: z.int(),
      error: z
        .object({ code: z.string(), detail: z.string() })
        .nullable()
        .describe('Why the import stopped, when its status is FAILED.'),
      createdAt: z.iso.datetime(),
      finishedAt: z.iso.datetime().nullable(),
    })
    .meta({ id: 'ImportSummary', examples: [example] }),
);

export const ImportView = lazy(() =>
  ImportSummary()
    .extend({
      rows: z
        .array(
          z.object({
            row: z.int().describe('Number of the data record, from 1; the header does not count.'),
            status: z
              .enum(['FAILED', 'INCOMPLETE'])
              .describe('INCOMPLETE: taken, but for what it names and is not there yet.'),
            errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })),
          }),
        )
        .describe(
          'The rows that were not taken, or not all of them, as far as they fit into 512 KiB; nothing of their content.',
        ),
    })
    .meta({ id: 'Import', examples: [{ ...example, rows: [FAULTY] }] }),
);
