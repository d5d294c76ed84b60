import type { RecordedUnit } from '../eventstore/index.ts';
import type { Asked } from './actors/dispatcher/dispatcher.ts';
import type { Caller, ConnectorRequest, Terms } from './actors/requests.ts';
import type { Outcome } from './actors/runtime.ts';
import type { BankProfile, ConnectorsConfig } from './connectors/index.ts';
import { AMOUNT_MAX } from './kernel/money.ts';
import type { ConnectorView } from './machines/connector/view.ts';

/** What somebody sent to the address at which a provider tells us things. */
export interface ProviderCallback {
  readonly connectorId: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** The providers of this process: their connectors, and what payments have to do with them. */
export interface Providers {
  /** Every configured connector, with its breaker. */
  list(): Promise<readonly (ConnectorView & { readonly type: string; readonly profile: string })[]>;
  connector(id: string): Promise<ConnectorView | undefined>;
  /** Whether payments of this provider go through connectors. */
  serves(provider: string): boolean;
  /** An operator's word. */
  carryOut(request: ConnectorRequest, caller: Caller): Promise<Outcome>;
  /** Asks the provider of a payment what became of it, now. What it says is durable. */
  ask(paymentId: string): Promise<Asked>;
  /** Undefined: it is taken, and durable. Otherwise why it is not. */
  callback(callback: ProviderCallback): Promise<string | undefined>;
  /** Tells them of what is in the log. */
  notice(unit: RecordedUnit): void;
  /** Begins to tell providers things, where this process leads. */
  start(): void;
}

/** Says when what is taken on now is settled. */
interface Calendar {
  settlesAt(takenOnAt: Date): Date;
}

/** What the runtime has to know of providers before they are there: it makes commands of requests. */
export class ProviderTerms {
  #config: ConnectorsConfig = { profiles: [], connectors: [] };
  #calendars: ReadonlyMap<string, Calendar> = new Map();

  take(config: ConnectorsConfig, calendars: ReadonlyMap<string, Calendar>): void {
    this.#config = config;
    this.#calendars = calendars;
  }

  /** The bank profiles, as they are configured now. */
  profiles(): readonly BankProfile[] {
    return this.#config.profiles;
  }

  readonly settlesAt: NonNullable<Terms['settlesAt']> = (now, provider) =>
    provider === undefined ? undefined : this.#calendars.get(provider)?.settlesAt(now);

  /** What every connector of the provider takes in one transaction, by the rail if one is named. */
  readonly railLimits: NonNullable<Terms['railLimits']> = (provider, rail, currency) => {
    const profile = this.#config.profiles.find(({ id }) => id === provider);
    const connectors = this.#config.connectors.filter(
      (one) =>
        one.profile === provider &&
        // One that only takes statements in has no say.
        one.capabilities.disburses &&
        (one.currencies.length === 0 || one.currencies.includes(currency)),
    );
    const bounds = [
      ...(rail === undefined ? [] : [profile?.rails?.[rail] ?? {}]),
      // The most that one of them takes: smaller ones are passed over.
      {
        amountMax: greatest(connectors.map(({ limits }) => limits.amountMax)),
        amountMin: least(connectors.map(({ limits }) => limits.amountMin)),
      },
    ];
    let [min, max] = [1n, undefined as bigint | undefined];
    for (const { amountMin, amountMax } of bounds) {
      if (amountMin !== undefined && BigInt(amountMin) > min) min = BigInt(amountMin);
      if (amountMax !== undefined && (max === undefined || BigInt(amountMax) < max)) max = BigInt(amountMax);
    }
    return max === undefined ? (min === 1n ? undefined : { min, max: AMOUNT_MAX }) : { min, max };
  };
}

/** Undefined where one of them has no bound. */
function greatest(bounds: readonly (string | undefined)[]): string | undefined {
  if (bounds.length === 0 || bounds.includes(undefined)) return undefined;
  return bounds
    .map((one) => BigInt(one ?? 0))
    .reduce((one, other) => (one > other ? one : other))
    .toString();
}
function least(bounds: readonly (string | undefined)[]): string | undefined {
  if (bounds.length === 0 || bounds.includes(undefined)) return undefined;
  return bounds
    .map((one) => BigInt(one ?? 0))
    .reduce((one, other) => (one < other ? one : other))
    .toString();
}
