import koraProvider from './mappings/kora-provider.json' with { type: 'json' };
import mobileMoney from './mappings/mobile-money.json' with { type: 'json' };
import stripeBalance from './mappings/stripe-balance.json' with { type: 'json' };
import { csvMappingOf, type CsvMapping } from './csv-mapping.ts';

const DOCUMENTS: readonly { readonly name: string }[] = [koraProvider, mobileMoney, stripeBalance];

/** The mappings that are shipped, by name. */
export const readyMappingNames: readonly string[] = DOCUMENTS.map(({ name }) => name);

/** A mapping that is shipped; undefined for a name that is none. */
export function readyMapping(name: string): CsvMapping | undefined {
  const document = DOCUMENTS.find((one) => one.name === name);
  return document === undefined ? undefined : csvMappingOf(document);
}
