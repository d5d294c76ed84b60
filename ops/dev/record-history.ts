/**
 * Records a history for test/histories: `node ops/dev/record-history.ts <scenario> <file>`. It plays the scenario through
 * the product's runtime on a log in memory and writes the units as they were appended, and the states and balances that
 * they came to. What is recorded stays as it is for ever (docs/events.md); a new version of an event gets a new file.
 */
import { writeFileSync } from 'node:fs';
import { MemoryLog, MemoryStore } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
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
const runtime = new Runtime({ log, now });
const caller = { tenant: 'kora', principal: 'service:shop' };
const payments = new Set<string>();
const accounts = new Set<string>();
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
    if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.refusal)}`);
    const { accountId = '' } = outcome.account ?? {};
    accounts.add(accountId);
    return accountId;
  },
  expire: async (paymentId) => {
    at += 8 * 24 * 3_600_000;
    const commandId = `deadline:${paymentId}:expire`;
    const scheduler = { tenant: 'kora', principal: 'kora:scheduler', correlationId: commandId };
    const command = { type: 'Reverse', paymentId, commandId, fingerprint: 'expire', reason: 'expired' } as const;
    const outcome = await runtime.carryOut(command, scheduler);
    if (!outcome.ok) throw new Error(`did not expire: ${JSON.stringify(outcome.refusal)}`);
  },
};
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
lines.push({ expected: { wallets, system, payments: paid } });
writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
await log.close();
