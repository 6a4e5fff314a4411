import { lazy } from './lazy.ts';

/** Active ISO 4217 currencies: the list of 2025 without funds, metals and test codes. */
const CODES =
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP ' +
  'CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD ' +
  'JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN ' +
  'NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL ' +
  'THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG';
const currencies = lazy(() => new Set(CODES.split(' ')));

/** Whether the text is an active ISO 4217 code, in capitals. */
export const isCurrency = (text: string): boolean => currencies().has(text);

/** ISO 4217: how many digits of an amount stand behind the point, where they are not two. */
const EXPONENTS: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
};
const exponents = lazy(
  () =>
    new Map(
      Object.entries(EXPONENTS).flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, Number(digits)])),
    ),
);

/** How many minor units make a major one, as a power of ten: 2 of EUR, 0 of JPY, 3 of KWD. */
export const exponentOf = (currency: string): number => exponents().get(currency) ?? 2;

/** The largest amount anywhere, either way, in minor units: ten digits before the point of a currency with cents. */
export const MAX_AMOUNT = 1_000_000_000_000;

/** Minor units of a currency. */
export type Money = { amount: number; currency: string };
