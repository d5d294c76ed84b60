import type { KoraRequest, Terms } from '../../src/actors/requests.ts';
import type { Disk } from './world/database.ts';
import type { ProvidersPlan } from './world/provider-plan.ts';
import type { Weather } from './world/weather.ts';

interface At {
  /** Milliseconds after the world began. */
  readonly atMs: number;
  /** Names it in what is printed, and is the source of its luck. */
  readonly name: string;
}

/** What happens to the world from outside: a run is nothing but these, and a seed. */
export type Operation = At &
  (
    | {
        readonly do: 'command';
        readonly request: KoraRequest;
        readonly principal: string;
        /** How often it is sent at most while no answer came. */
        readonly tries: number;
        /** How often the same is sent again after it was answered. */
        readonly again: number;
      }
    | { readonly do: 'look'; readonly what: 'payment' | 'account'; readonly id: string }
    /** Somebody looks into the provider's books, and says what became of the payment. */
    | { readonly do: 'resolve'; readonly paymentId: string }
    | { readonly do: 'outage'; readonly connector: string; readonly lengthMs: number }
    | { readonly do: 'watch'; readonly topics: readonly string[] }
    | { readonly do: 'kill' | 'stop' | 'kill projector'; readonly machine: number; readonly downMs: number }
    | { readonly do: 'turn clock'; readonly machine: number | 'store'; readonly jumpMs: number }
    | { readonly do: 'fill disk'; readonly what: Exclude<Disk, 'roomy'>; readonly fullMs: number }
  );

export interface Scenario {
  readonly seed: number;
  readonly workload: string;
  /** Processes on one log. */
  readonly machines: number;
  readonly weather: Weather;
  readonly terms: Terms;
  readonly residentsMax: number;
  readonly bufferedBytesMax: number;
  readonly plan: ProvidersPlan;
  readonly operations: readonly Operation[];
}

export function textOf(operation: Operation): string {
  const { atMs, name, ...what } = operation;
  const json = JSON.stringify(what, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return `${String(Math.round(atMs)).padStart(6)} ms  ${name.padEnd(8)} ${json}`;
}
