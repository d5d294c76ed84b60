/**
 * The minor-unit exponents of ISO 4217: how many decimals an amount of the currency has. From the maintenance agency's
 * "list one" as published on 2024-06-25, and XCG, which took the place of ANG on 2025-03-31. Codes to which the standard
 * gives no minor unit (XAU, XDR, XXX …) are left out: they cannot be an account's currency.
 *
 * A table of our own rather than a package: it changes once a year, and the kernel imports nothing.
 */
const CODES_BY_EXPONENT: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
      CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG
      HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
      MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE
      SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW
      ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

const exponents = new Map(
  Object.entries(CODES_BY_EXPONENT).flatMap(([exponent, codes]) =>
    codes.split(/\s+/).map((code): [string, number] => [code, Number(exponent)]),
  ),
);

/** Decimals of the currency's amounts (XOF 0, GHS 2, TND 3), or undefined for what is no currency of ISO 4217. */
export function exponentOf(currency: string): number | undefined {
  return exponents.get(currency);
}

/** Every currency that an account can have, sorted. */
export const currencies: readonly string[] = [...exponents.keys()].sort();
