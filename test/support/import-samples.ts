import { importers } from '../../src/registry.ts';
import { appointmentSamples } from './import-samples/appointments.ts';
import { catalogSamples } from './import-samples/catalog.ts';
import { invoiceSamples } from './import-samples/invoices.ts';
import { plainSample } from './import-samples/plain.ts';
import type { Sample } from './import-samples/sample.ts';

const particular: Sample[] = [...catalogSamples, ...appointmentSamples, ...invoiceSamples];
/** Of clients a suite of their own tells. */
const told = new Set(['clients', ...particular.map(({ resource }) => resource)]);

/** In the order in which they can be told. What they take for granted is the branch `main` and the client `anna`. */
export const samples: Sample[] = [
  ...[...importers().values()].filter(({ resource }) => !told.has(resource)).map(plainSample),
  ...particular,
];
