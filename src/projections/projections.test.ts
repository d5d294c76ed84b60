import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { MemoryLog, type RecordedUnit } from '../../eventstore/index.ts';
import { openForRandom, randomSteps, runStep } from '../../test/support/random-commands.ts';
import { Scribe } from '../../test/support/units.ts';
import { accountsTable } from './accounts.projection.ts';
import { ChangeSet } from './change-set.ts';
import { connectorView } from '../machines/connector/view.ts';
import type { ConnectorSnapshot } from '../machines/connector/connector.machine.ts';
import type { PayoutSnapshot } from '../machines/payout/payout.machine.ts';
import { sliceStatusOf } from '../machines/payout/view.ts';
import { categoryOf } from '../machines/streams.ts';
import { connectorStatesTable } from './connector-states.projection.ts';
import { deadlinesTable } from './deadlines.projection.ts';
import { projections } from './index.ts';
import { MemoryTables } from './memory/writer.ts';
import { paymentsTable } from './payments.projection.ts';
import { payoutsTable, slicesTable } from './payouts.projection.ts';
import { trialBalanceTable } from './trial-balance.projection.ts';

async function randomUnits(steps: Parameters<typeof runStep>[1][]): Promise<{ units: RecordedUnit[]; scribe: Scribe }> {
  const log = new MemoryLog();
  const scribe = new Scribe(log);
  openForRandom(scribe);
  for (const [number, step] of steps.entries()) runStep(scribe, step, String(number));
  await scribe.written();
  const units: RecordedUnit[] = [];
  for await (const unit of log.readAll(0)) units.push(unit);
  return { units, scribe };
}

/** Folds in batches whose sizes come from a list, over and over. */
function fold(units: readonly RecordedUnit[], sizes: readonly number[]): MemoryTables {
  const tables = new MemoryTables();
  for (const projection of projections) {
    let from = 0;
    for (let batch = 0; from < units.length; batch++) {
      const changes = new ChangeSet();
      const size = sizes[batch % sizes.length] ?? 1;
      for (const unit of units.slice(from, from + size)) projection.fold(unit, changes);
      tables.write(projection, changes);
      from += size;
    }
  }
  return tables;
}

function of<State>(scribe: Scribe, category: string): State[] {
  const all = [...scribe.world.states].filter(([stream]) => categoryOf(stream) === category);
  return all.map(([, state]) => state as State);
}

describe('The folds of projections', () => {
  test.prop([randomSteps, fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 })])(
    'give the same rows whatever the batches',
    async (steps, sizes) => {
      const { units } = await randomUnits(steps);
      const [one, other] = [fold(units, [units.length]), fold(units, sizes)];
      for (const { tables } of projections) {
        for (const table of tables) expect(other.rows(table)).toEqual(one.rows(table));
      }
    },
  );

  test.prop([randomSteps])('show payments and wallets as the machines have them', async (steps) => {
    const { units, scribe } = await randomUnits(steps);
    const tables = fold(units, [3]);
    const payments = tables.rows(paymentsTable);
    expect(payments.size).toBe(scribe.world.payments().length);
    for (const { value, context } of scribe.world.payments()) {
      const row = payments.get(context.paymentId);
      expect(row).toMatchObject({
        status: value,
        kind: context.kind,
        version: context.version,
        refunded: context.refunded,
      });
      expect(BigInt(row?.['amount'] as string)).toBe(context.amount);
      expect(BigInt((row?.['captured'] as string | undefined) ?? '0')).toBe(context.captured);
      expect(BigInt((row?.['held'] as string | undefined) ?? '0')).toBe(context.held);
      expect(row?.['is_authorized'] === true ? context.amount : 0n).toBe(context.authorized);
      expect(row?.['reason']).toBe(context.reason);
    }
    const accounts = tables.rows(accountsTable);
    for (const { value, context } of scribe.world.wallets()) {
      expect(accounts.get(context.accountId)).toMatchObject({
        status: value,
        posted: String(context.posted),
        held: String(context.held),
        overdraft_limit: String(context.limit),
        version: context.version,
      });
    }
  });

  test.prop([randomSteps], { numRuns: 300 })(
    'show payouts, slices and connectors as the machines have them',
    async (steps) => {
      const { units, scribe } = await randomUnits(steps);
      const tables = fold(units, [2]);
      const slices = scribe.world.payments().filter(({ context }) => context.kind === 'PAYOUT');
      expect(tables.rows(slicesTable).size).toBe(slices.length);
      for (const slice of slices) {
        const { paymentId, payer, amount, route, transfer } = slice.context;
        const newest = transfer?.instructions;
        expect(tables.rows(slicesTable).get(paymentId)).toMatchObject({
          id: paymentId,
          parent_payout_id: route?.payout,
          treasury_account_id: payer,
          slice_amount: String(amount),
          status: sliceStatusOf(slice),
          idempotency_key: paymentId,
          currency: 'XOF',
        });
        const row = tables.rows(slicesTable).get(paymentId);
        expect(row?.['connector_id']).toBe(newest?.connector);
        // What a provider calls what it did after all is nothing of the slice, which had failed.
        if (newest?.state !== 'paid late') expect(row?.['provider_ref']).toBe(newest?.providerRef);
      }
      const payouts = of<PayoutSnapshot>(scribe, 'payout');
      expect(tables.rows(payoutsTable).size).toBe(payouts.length);
      for (const { value, context } of payouts) {
        const { payoutId, version, reason } = context;
        const row = tables.rows(payoutsTable).get(payoutId);
        expect(row).toMatchObject({ state: value, slices: context.slices.length, version });
        expect(row?.['reason']).toBe(reason);
      }
      const connectors = of<ConnectorSnapshot>(scribe, 'connector');
      expect(tables.rows(connectorStatesTable).size).toBe(connectors.length);
      for (const connector of connectors) {
        const { connectorId, state, failures, openUntil, reason, forced, version } = connectorView(connector);
        const row = tables.rows(connectorStatesTable).get(connectorId);
        expect(row).toMatchObject({ circuit_breaker_state: state, failure_count: failures, forced, version });
        expect(row?.['open_until']).toBe(openUntil);
        expect(row?.['reason']).toBe(reason);
      }
    },
  );

  test.prop([randomSteps])(
    'keep the books: everything sums to zero, accounts agree with the trial balance',
    async (steps) => {
      const { units } = await randomUnits(steps);
      const tables = fold(units, [5]);
      const sums = new Map<string, bigint>();
      for (const { class: accountClass, posted, summed } of tables.rows(accountsTable).values()) {
        const balance = posted === undefined ? (summed as bigint) : BigInt(posted);
        sums.set(accountClass as string, (sums.get(accountClass as string) ?? 0n) + balance);
      }
      let total = 0n;
      for (const row of tables.rows(trialBalanceTable).values()) {
        const balance = (row['credits'] as bigint) - (row['debits'] as bigint);
        expect(sums.get(row['account_class'] as string)).toBe(balance);
        total += balance;
      }
      expect(total).toBe(0n);
    },
  );

  test.prop([randomSteps])('know the deadlines of what is open, and of nothing else', async (steps) => {
    const { units, scribe } = await randomUnits(steps);
    const deadlines = fold(units, [4]).rows(deadlinesTable);
    const expected = new Map<string, string>();
    for (const { value, context } of scribe.world.payments()) {
      const { paymentId, expiresAt, settlesAt } = context;
      if (value === 'AUTHORIZED' && expiresAt !== undefined) expected.set(`${paymentId} expire`, expiresAt);
      if (value === 'CAPTURED' && settlesAt !== undefined) expected.set(`${paymentId} settle`, settlesAt);
    }
    expect(new Map([...deadlines].map(([key, row]) => [key, row['due_at']]))).toEqual(expected);
  });
});
