import { appointmentSamples } from './import-samples/appointments.ts';
import { catalogSamples } from './import-samples/catalog.ts';
import { invoiceSamples } from './import-samples/invoices.ts';
import type { Sample } from './import-samples/sample.ts';

/** In the order in which they can be told. What they take for granted is the branch `main` and the client `anna`. */
export const samples: Sample[] = [...catalogSamples, ...appointmentSamples, ...invoiceSamples];
