import { exponentOf } from '../kernel/currencies.ts';

/**
 * Currencies that were withdrawn (ISO 4217, list three), of which old statements are. No account of ours can have one, so
 * the kernel does not know them.
 */
const WITHDRAWN = new Map<string, number>([
  ...'ATS BGL CHC CSK CYP DEM EEK FIM FRF GRD HRK IEP LTL LVL MTL NLG ROL SIT SKK TRL YUM ZMK'
    .split(' ')
    .map((code): [string, number] => [code, 2]),
  ...'BEF ESP ITL LUF PTE'.split(' ').map((code): [string, number] => [code, 0]),
]);

/** Decimals of a currency that a statement can be of, today's or a withdrawn one. */
export function decimalsOf(currency: string): number | undefined {
  return exponentOf(currency) ?? WITHDRAWN.get(currency);
}

export function isWithdrawn(currency: string): boolean {
  return WITHDRAWN.has(currency);
}
