import { readdirSync, readFileSync } from 'node:fs';
import { append, type EventLog, type Unit } from '../../eventstore/index.ts';

export const folder = new URL('.', import.meta.url);
export const historyFiles = readdirSync(folder).filter((file) => file.endsWith('.jsonl'));

export interface ExpectedPayment {
  readonly kind: string;
  readonly status: string;
  readonly amount: number;
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
  readonly fee: number;
  readonly providerFee: number;
  readonly reversed?: string;
  readonly failure?: { readonly code: string; readonly message: string; readonly reason?: string };
  readonly version: number;
}

export interface ExpectedPayout {
  readonly state: string;
  readonly amount: number;
  readonly slices: number;
  readonly version: number;
  readonly cancelled?: string;
  readonly failure?: object;
}
export interface ExpectedSlice {
  readonly status: string;
  readonly connector?: string;
  readonly providerRef?: string;
}
export interface ExpectedConnector {
  readonly state: string;
  readonly version: number;
  readonly failures: number;
  readonly forced: boolean;
  readonly reason?: string;
}

/** A history as it was recorded, and what it came to: minor units as plain numbers. */
export interface History {
  readonly units: readonly Unit[];
  readonly expected: {
    readonly wallets: Readonly<
      Record<
        string,
        {
          readonly status: string;
          readonly posted: number;
          readonly held: number;
          readonly limit: number;
          readonly version: number;
        }
      >
    >;
    readonly system: Readonly<Record<string, number>>;
    readonly payments: Readonly<Record<string, ExpectedPayment>>;
    /** Absent where there were none. */
    readonly payouts?: Readonly<Record<string, ExpectedPayout>>;
    readonly slices?: Readonly<Record<string, ExpectedSlice>>;
    readonly connectors?: Readonly<Record<string, ExpectedConnector>>;
  };
}

export function readHistory(file: string): History {
  const lines = readFileSync(new URL(file, folder), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { unit?: Unit; expected?: History['expected'] });
  const { expected } = lines.at(-1) ?? {};
  if (expected === undefined) throw new Error(`${file} does not say what it came to`);
  return { units: lines.flatMap(({ unit }) => (unit === undefined ? [] : [unit])), expected };
}

/** Appends the units as they are: versions of events, and all. */
export async function appendHistory(log: EventLog, { units }: History): Promise<void> {
  const results = await Promise.all(units.map((unit) => append(log, unit)));
  const refused = results.find(({ outcome }) => outcome !== 'committed');
  if (refused !== undefined) throw new Error(`the history was not taken: ${JSON.stringify(refused)}`);
}
