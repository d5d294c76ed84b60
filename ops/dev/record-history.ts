/**
 * Records a history for test/histories: `node ops/dev/record-history.ts <scenario> <file>`. It plays the scenario through
 * the product's runtime on a log in memory and writes the units as they were appended, and the states and balances that
 * they came to. What is recorded stays as it is for ever (docs/events.md); a new version of an event gets a new file.
 */
import { writeFileSync } from 'node:fs';
import { MemoryLog, MemoryStore } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import type { Command } from '../../src/machines/commands.ts';
import { sliceStatusOf } from '../../src/machines/payout/view.ts';
import { scenarios, type Stage } from './history-scenarios.ts';

const [name = '', file = ''] = process.argv.slice(2);
const scenario = scenarios[name];
if (scenario === undefined || file === '') {
  process.stderr.write(`usage: node ops/dev/record-history.ts ${Object.keys(scenarios).join('|')} FILE\n`);
  process.exit(2);
}

let at = Date.parse('2025-03-03T08:00:00Z');
const store = new MemoryStore();
const now = (): Date => new Date(at);
const log = new MemoryLog({ store, now });
const runtime = new Runtime({ log, now, terms: { railLimits: () => ({ min: 1n, max: 1_000n }) } });
const caller = { tenant: 'kora', principal: 'service:shop' };
const payments = new Set<string>();
const accounts = new Set<string>();
const payouts = new Set<string>();
const connectors = new Set<string>();
let requests = 0;

const stage: Stage = {
  ask: async (request) => {
    requests += 1;
    const keyed = { ...request, idempotencyKey: `request ${requests}` };
    const outcome = await runtime.execute(keyed, { ...caller, correlationId: `correlation-${requests}` });
    at += 60_000;
    if (outcome.payment !== undefined) {
      payments.add(outcome.payment.paymentId);
      return outcome.payment.paymentId;
    }
    if (outcome.payout !== undefined) {
      const { payoutId, slices, state } = outcome.payout;
      payouts.add(payoutId);
      if (state !== 'FAILED') for (const { paymentId } of slices) payments.add(paymentId);
      return payoutId;
    }
    if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.refusal)}`);
    const { accountId = '' } = outcome.account ?? {};
    accounts.add(accountId);
    return accountId;
  },
  expire: async (paymentId) => {
    at += 8 * 24 * 3_600_000;
    const commandId = `deadline:${paymentId}:expire`;
    await machine('kora:scheduler', {
      type: 'Reverse',
      paymentId,
      commandId,
      fingerprint: 'expire',
      reason: 'expired',
    });
  },
  slicesOf: async (payoutId) => ((await runtime.payout(payoutId))?.slices ?? []).map(({ paymentId }) => paymentId),
  tell: async (paymentId, connector, resend) => {
    const provider = connector.startsWith('ab') ? 'bank:AB' : 'momo';
    const attempt = ((await runtime.paymentState(paymentId))?.context.transfer?.instructions?.number ?? 0) + 1;
    await machine('kora:dispatcher', {
      type: 'Instruct',
      commandId: `instruct:${paymentId}:${attempt}`,
      fingerprint: 'instruct',
      ...{ paymentId, connector, provider, sendBefore: instantAfter(1) },
      ...(resend !== undefined && { resendAt: instantAfter(1) }),
    });
  },
  hear: async (paymentId, outcome, instruction = 0) => {
    const { version = 0 } = (await runtime.payment(paymentId)) ?? {};
    const commandId = `outcome:${paymentId}:${version}`;
    const of = { paymentId, instruction, outcome, settlesAt: instantAfter(24) };
    await machine('kora:dispatcher', { type: 'RecordOutcome', commandId, fingerprint: 'outcome', ...of });
  },
  meet: async (paymentId) => {
    at += 24 * 3_600_000;
    const commandId = `deadline:${paymentId}:settle`;
    await machine('kora:scheduler', { type: 'MeetSettlement', commandId, fingerprint: 'settle', paymentId });
  },
  trip: async (command) => {
    connectors.add(command.connectorId);
    const { version } = await runtime.connector(command.connectorId);
    const commandId = `breaker:${command.connectorId}:${version}`;
    await machine('kora:manager', { ...command, commandId, fingerprint: 'breaker' } as Command);
  },
  operate: async (request) => {
    connectors.add(request.connectorId);
    requests += 1;
    const by = { ...caller, correlationId: `correlation-${requests}` };
    const outcome = await runtime.operate({ ...request, idempotencyKey: `request ${requests}` }, by);
    if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.refusal)}`);
  },
  wait: (hours) => {
    at += hours * 3_600_000;
  },
};

function instantAfter(hours: number): string {
  return new Date(at + hours * 3_600_000).toISOString();
}

/** What the product itself asks for. */
async function machine(principal: string, command: Command): Promise<void> {
  const outcome = await runtime.carryOut(command, { tenant: 'kora', principal, correlationId: command.commandId });
  at += 60_000;
  if (!outcome.ok) throw new Error(`${command.type} was refused: ${JSON.stringify(outcome.refusal)}`);
}

await scenario(stage);

const lines: object[] = [];
const system: Record<string, number> = {};
for (const { id, meta, rows } of store.units) {
  const appends = rows.map(({ stream, version, events }) => ({
    stream,
    expect: stream.startsWith('system/') ? 'any' : version - 1,
    events,
  }));
  lines.push({ unit: { id, appends, meta } });
  for (const { stream, events } of rows) {
    if (!stream.startsWith('system/')) continue;
    for (const { data } of events) {
      const account = stream.slice('system/'.length);
      system[account] = (system[account] ?? 0) + Number((data as { amount: string }).amount);
    }
  }
}
// As plain numbers and words: what it came to must not be read with the code that it is held against.
const wallets: Record<string, object> = {};
for (const id of accounts) {
  const wallet = await runtime.account(id);
  if (wallet === undefined) continue;
  const { status, posted, held, limit, version } = wallet;
  wallets[id] = { status, posted: Number(posted), held: Number(held), limit: Number(limit), version };
}
const paid: Record<string, object> = {};
for (const id of payments) {
  const payment = await runtime.payment(id);
  if (payment === undefined) continue;
  const { kind, status, amount, authorized, captured, refunded, fee, providerFee, reversed, failure, version } =
    payment;
  const numbers = { amount, authorized, captured, refunded, fee, providerFee };
  paid[id] = {
    kind,
    status,
    ...Object.fromEntries(Object.entries(numbers).map(([field, value]) => [field, Number(value)])),
    ...(reversed !== undefined && { reversed }),
    ...(failure !== undefined && { failure }),
    version,
  };
}
const slices: Record<string, object> = {};
for (const id of payments) {
  const state = await runtime.paymentState(id);
  if (state?.context.kind !== 'PAYOUT') continue;
  const { connector, providerRef } = state.context.transfer?.instructions ?? {};
  slices[id] = {
    status: sliceStatusOf(state),
    ...(connector !== undefined && { connector }),
    ...(providerRef !== undefined && { providerRef }),
  };
}
const paidOut: Record<string, object> = {};
for (const id of payouts) {
  const payout = await runtime.payout(id);
  if (payout === undefined) continue;
  const { state, amount, version, cancelled, failure } = payout;
  paidOut[id] = {
    ...{ state, amount: Number(amount), slices: payout.slices.length, version },
    ...(cancelled !== undefined && { cancelled }),
    ...(failure !== undefined && { failure }),
  };
}
const breakers: Record<string, object> = {};
for (const id of connectors) {
  const { connectorId: _id, ...rest } = await runtime.connector(id);
  breakers[id] = rest;
}
const later = { payouts: paidOut, slices, connectors: breakers };
const known = Object.entries(later).filter(([, all]) => Object.keys(all).length > 0);
lines.push({ expected: { wallets, system, payments: paid, ...(Object.fromEntries(known) as object) } });
writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
await log.close();
