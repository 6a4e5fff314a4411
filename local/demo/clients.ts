/** A client of the demo company as a file of an import says it. */
export interface DemoClient {
  externalId: string;
  firstName: string;
  lastName: string;
  email: string;
  phone: string;
  status: 'ACTIVE' | 'INACTIVE' | 'ARCHIVED';
  tags: string[];
  notes: string | null;
}

const firstNames = `Anna Lukas Marie Jonas Sophie Elias Lena Felix Laura Paul Hannah Maximilian Julia Tobias Katharina
  Dominik Theresa Florian Magdalena Stefan Ayşe Mehmet Zofia Ivana Dragan Éva Chloé Giulia Luís Søren`.split(/\s+/);
const lastNames = `Gruber Huber Müller Wagner Pichler Steiner Moser Hofer Leitner Berger Fuchs Eder Fischer Schmid
  Winkler Weber Schwarz Maier Schneider Reiter Yılmaz Demir Nowak Kovačević Petrović Szabó Dubois Rossi Ferreira
  Jørgensen`.split(/\s+/);
const tagSets = [['regular'], ['vip', 'regular'], [], ['new'], ['colour'], ['colour', 'regular'], [], ['newsletter']];
const notes = [
  null,
  'Prefers mornings.',
  null,
  'Allergic to PPD: patch test before colour.',
  null,
  null,
  'Pays by card; receipt by e-mail.',
  'Comes with her daughter (6).',
  null,
  'Likes a quiet chair by the window.',
];
const inactive = new Set([11, 27, 43, 58]);
const archived = new Set([19, 37, 52]);

/** Sixty people who do not exist; the same ones every time. Phone numbers lie in a range nobody can be given. */
export const demoClients: readonly DemoClient[] = Array.from({ length: 60 }, (_, index) => {
  const firstName = firstNames[index % firstNames.length] ?? '';
  // The second half of the list meets other family names than the first.
  const lastName = lastNames[(index * 7 + Math.floor(index / 30) * 11) % lastNames.length] ?? '';
  return {
    externalId: `demo-${String(index + 1).padStart(3, '0')}`,
    firstName,
    lastName,
    email: `${plain(firstName)}.${plain(lastName)}@example.com`,
    phone: `+43720${String(100_100 + index * 137)}`,
    status: archived.has(index) ? 'ARCHIVED' : inactive.has(index) ? 'INACTIVE' : 'ACTIVE',
    tags: tagSets[index % tagSets.length] ?? [],
    notes: notes[index % notes.length] ?? null,
  };
});

function plain(name: string): string {
  const letters = name.replaceAll('ø', 'o').replaceAll('Ø', 'O').replaceAll('ı', 'i');
  return letters.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
