import type { ConnectorConfig, PayoutSlice } from './bank-connector.ts';
import type { Breaker, BreakerState } from './breaker.ts';
import type { BankProfile } from './config-schema.ts';

export interface Wanted {
  /** The bank profile: the `provider` of the payment. */
  readonly profile: string;
  readonly operation: PayoutSlice['operation'];
  /** Absent: any that the connector serves. */
  readonly rail?: string;
  readonly currency: string;
  /** Minor units. */
  readonly amount: bigint;
  /** Those that were asked already, and said a final "no" or were not reached. */
  readonly except?: ReadonlySet<string>;
}

/** Why a connector cannot carry a payment, whatever the hour. */
export type Misfit = 'Operation' | 'Rail' | 'Currency' | 'AmountTooSmall' | 'AmountTooLarge' | 'Excepted';

export type Selection =
  /** In the order in which they are to be asked. */
  | { readonly outcome: 'found'; readonly candidates: readonly [ConnectorConfig, ...ConnectorConfig[]] }
  /** Some fit, and the breakers of all of them are open: later. */
  | {
      readonly outcome: 'none_now';
      readonly fitting: readonly { readonly connectorId: string; readonly breaker: BreakerState }[];
    }
  /** Waiting does not help. */
  | {
      readonly outcome: 'none_fits';
      readonly misfits: readonly { readonly connectorId: string; readonly because: Misfit }[];
    };

/** The connectors that may be asked to carry a payment. Of the same priority, the one that is first in the file. */
export function selectConnectors(
  wanted: Wanted,
  connectors: readonly ConnectorConfig[],
  profile: BankProfile | undefined,
  breaker: Pick<Breaker, 'admits' | 'state'>,
): Selection {
  const judged = connectors
    .filter((connector) => connector.profile === wanted.profile)
    .map((connector) => ({ connector, because: misfitOf(connector, profile, wanted) }));
  const fitting = judged
    .filter(({ because }) => because === undefined)
    .map(({ connector }) => connector)
    .sort((one, other) => one.priority - other.priority);
  if (fitting.length === 0) {
    const misfits = judged.flatMap(({ connector: { id }, because }) =>
      because === undefined ? [] : [{ connectorId: id, because }],
    );
    return { outcome: 'none_fits', misfits };
  }
  const [first, ...others] = fitting.filter(({ id }) => breaker.admits(id));
  if (first !== undefined) return { outcome: 'found', candidates: [first, ...others] };
  return {
    outcome: 'none_now',
    fitting: fitting.map(({ id }) => ({ connectorId: id, breaker: breaker.state(id) })),
  };
}

function misfitOf(
  { id, capabilities, rails, currencies, limits }: ConnectorConfig,
  profile: BankProfile | undefined,
  { operation, rail, currency, amount, except }: Wanted,
): Misfit | undefined {
  if (!(operation === 'collect' ? capabilities.collects : capabilities.disburses)) return 'Operation';
  if (rail !== undefined && !serves(rails, rail)) return 'Rail';
  if (rail !== undefined && profile !== undefined && !serves(profile.supported_rails, rail)) return 'Rail';
  if (!serves(currencies, currency)) return 'Currency';
  const ofRail = rail === undefined ? undefined : profile?.rails?.[rail];
  for (const { amountMin, amountMax } of [limits, ofRail ?? {}]) {
    if (amountMin !== undefined && amount < BigInt(amountMin)) return 'AmountTooSmall';
    if (amountMax !== undefined && amount > BigInt(amountMax)) return 'AmountTooLarge';
  }
  return except?.has(id) === true ? 'Excepted' : undefined;
}

/** An empty list is any. */
function serves(list: readonly string[], one: string): boolean {
  return list.length === 0 || list.includes(one);
}
