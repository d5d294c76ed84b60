import { rename, writeFile } from 'node:fs/promises';

/** The provider of these payments: its accounts are `float:mobile-money:XOF` and so on. */
export const profile = 'mobile-money';
export const mainId = 'momo-main';
export const backupId = 'momo-backup';
/** Under what name the document refers to the secret of both. */
export const secretName = 'DEMO_PROVIDER_SECRET';

/** What kora starts with: nobody is told anything. */
export const noConnectors = { profiles: [], connectors: [] };

/** Two connectors of one profile: payments go to the main one while it is there. */
export function twoConnectors(urls: { readonly main: string; readonly backup: string }): object {
  const connector = (id: string, baseUrl: string, priority: number): object => ({
    id,
    type: 'rest',
    profile,
    priority,
    currencies: ['XOF'],
    capabilities: { honoursKeys: true, findsByKey: true },
    // A day takes seconds here: what takes half a minute elsewhere takes a second or two.
    limits: {
      requestTimeoutMs: 1_500,
      sendWithinMs: 5_000,
      clockSkewMs: 100,
      notFoundFinalAfterMs: 5_000,
      // More than anybody brings, and less than the payout, which goes in slices.
      amountMax: '60000',
    },
    breaker: { failuresMax: 4, openMs: 1_500, successesMin: 2 },
    settings: { baseUrl, hmacSecret: `env:${secretName}` },
  });
  return {
    profiles: [
      {
        id: profile,
        bank_name: 'Mobile money to play with',
        supported_rails: ['momo'],
        statements: { mapping: 'kora-provider', reports: 'delta' },
      },
    ],
    connectors: [connector(mainId, urls.main, 10), connector(backupId, urls.backup, 20)],
  };
}

/** Whole or not at all: kora watches the file. */
export async function writeDocument(file: string, document: object): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(document, undefined, 2));
  await rename(`${file}.new`, file);
}
