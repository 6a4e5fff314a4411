// What the demo company "Atelier Ansel" has and does, as the API takes it. References are external ids of its own.

export const ZONE = 'Europe/Vienna';
export const CURRENCY = 'EUR';

export const euros = (amount: number) => ({ amount, currency: CURRENCY });
export const VAT = { name: 'USt', rateBasisPoints: 2000 };

type Hours = { weekday: number; start: string; end: string };

const hours = (weekdays: readonly number[], start: string, end: string): Hours[] =>
  weekdays.map((weekday) => ({ weekday, start, end }));

/** The same dates each year: those that move are for others to know. */
const HOLIDAYS: readonly [day: string, name: string][] = [
  ['01-01', 'Neujahr'],
  ['01-06', 'Heilige Drei Könige'],
  ['05-01', 'Staatsfeiertag'],
  ['08-15', 'Mariä Himmelfahrt'],
  ['10-26', 'Nationalfeiertag'],
  ['11-01', 'Allerheiligen'],
  ['12-08', 'Mariä Empfängnis'],
  ['12-25', 'Christtag'],
  ['12-26', 'Stefanitag'],
];

export const isHoliday = (date: string): boolean => HOLIDAYS.some(([day]) => day === date.slice(5));

/** Of that year and the next. */
export const holidaysFrom = (year: number): { date: string; name: string }[] =>
  [year, year + 1].flatMap((each) => HOLIDAYS.map(([day, name]) => ({ date: `${each}-${day}`, name })));

export const branches = [
  {
    ...{ externalId: 'mariahilf', name: 'Mariahilf', line1: 'Mariahilfer Straße 88', postalCode: '1060' },
    openingHours: [...hours([1, 2, 3, 4, 5], '09:00', '19:00'), ...hours([6], '09:00', '15:00')],
  },
  {
    ...{ externalId: 'neubau', name: 'Neubau', line1: 'Neubaugasse 31', postalCode: '1070' },
    openingHours: hours([1, 2, 3, 4, 5], '09:00', '18:00'),
  },
].map(({ line1, postalCode, ...branch }) => ({
  ...branch,
  timeZone: ZONE,
  address: { line1, city: 'Wien', postalCode, country: 'AT' },
}));

export type DemoService = {
  externalId: string;
  name: string;
  durationMinutes: number;
  bufferAfterMinutes: number;
  processing: { afterMinutes: number; minutes: number }[];
  requires: string[];
  /** Cents, tax in them; null: told on the day. */
  gross: number | null;
};

const at = (externalId: string, name: string, durationMinutes: number, gross: number | null): DemoService => ({
  ...{ externalId, name, durationMinutes, gross },
  ...{ bufferAfterMinutes: 0, processing: [], requires: ['CHAIR'] },
});

/** While a colour develops its stylist is free for as long as a men's cut takes, the sweeping up after it included. */
export const services: readonly DemoService[] = [
  { ...at('cut-women', "Women's cut", 60, 6800), bufferAfterMinutes: 5 },
  { ...at('cut-men', "Men's cut", 30, 3800), bufferAfterMinutes: 5 },
  at('blow-dry', 'Blow-dry', 45, 4200),
  { ...at('colour', 'Colour', 120, 9500), processing: [{ afterMinutes: 40, minutes: 35 }], bufferAfterMinutes: 10 },
  {
    ...at('balayage', 'Balayage', 180, 16500),
    processing: [{ afterMinutes: 75, minutes: 45 }],
    bufferAfterMinutes: 10,
  },
  at('fringe', 'Fringe trim', 15, 1200),
  at('updo', 'Updo', 75, null),
  { ...at('scalp', 'Scalp treatment', 45, 5500), requires: ['ROOM'], bufferAfterMinutes: 15 },
];

/** How often each is asked for, beside the others. */
export const demand: Readonly<Record<string, number>> = {
  ...{ 'cut-women': 6, 'cut-men': 4, 'blow-dry': 3, colour: 4, balayage: 1, fringe: 1, updo: 1, scalp: 3 },
};

/** Fewer chairs than people: who comes to work may have to wait for one. */
export const resources = [
  ...['Chair 1', 'Chair 2', 'Chair 3'].map((name) => ({ name, kind: 'CHAIR', branch: 'mariahilf' })),
  { name: 'Treatment room', kind: 'ROOM', branch: 'mariahilf' },
  { name: 'Chair 1', kind: 'CHAIR', branch: 'neubau' },
].map(({ branch, ...resource }) => ({
  ...resource,
  externalId: `${branch} ${resource.name}`.toLowerCase().replaceAll(' ', '-'),
  branchExternalId: branch,
}));

export type DemoStaff = {
  externalId: string;
  firstName: string;
  lastName: string;
  color: string;
  branch: string;
  workingHours: Hours[];
  services: string[];
};

const CUTS = ['cut-women', 'cut-men', 'blow-dry', 'fringe', 'updo'];
const COLOURS = ['colour', 'balayage'];

export const staff: readonly DemoStaff[] = [
  {
    ...{ externalId: 'vera', firstName: 'Vera', lastName: 'Ansel', color: '#7a4b94', branch: 'mariahilf' },
    ...{ workingHours: hours([2, 3, 4, 5], '10:00', '17:00'), services: CUTS },
  },
  {
    ...{ externalId: 'lukas', firstName: 'Lukas', lastName: 'Moser', color: '#3366cc', branch: 'mariahilf' },
    ...{
      workingHours: [...hours([1, 3, 4, 5], '09:00', '18:00'), ...hours([6], '09:00', '15:00')],
      services: [...CUTS, ...COLOURS],
    },
  },
  {
    ...{ externalId: 'aylin', firstName: 'Aylin', lastName: 'Demir', color: '#c0632c', branch: 'mariahilf' },
    ...{
      workingHours: [...hours([1, 2, 4, 5], '10:00', '19:00'), ...hours([6], '09:00', '15:00')],
      services: [...CUTS, ...COLOURS, 'scalp'],
    },
  },
  {
    ...{ externalId: 'marta', firstName: 'Marta', lastName: 'Nowak', color: '#2f8f6b', branch: 'mariahilf' },
    ...{ workingHours: hours([1, 2, 3, 5], '09:00', '17:00'), services: [...CUTS, 'scalp'] },
  },
  {
    ...{ externalId: 'jonas', firstName: 'Jonas', lastName: 'Eder', color: '#8a8f2f', branch: 'neubau' },
    ...{ workingHours: hours([1, 2, 3, 4, 5], '09:00', '13:30'), services: CUTS },
  },
  {
    ...{ externalId: 'sophie', firstName: 'Sophie', lastName: 'Huber', color: '#b03a5b', branch: 'neubau' },
    ...{ workingHours: hours([1, 2, 3, 4, 5], '11:00', '18:00'), services: [...CUTS, ...COLOURS] },
  },
];

/** What the shelf at the till sells, cents with tax. */
export const products: readonly [name: string, gross: number][] = [
  ['Shampoo 250 ml', 1890],
  ['Conditioner 200 ml', 2190],
  ['Matte paste', 2450],
];
