import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { signRequest } from '../../src/connectors/rest/signature.ts';
import { providerSecret, SimulatedProvider } from '../connectors/simulated-provider.ts';
import { perSecond, windowMs } from '../connectors/terms.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { CpuMeter } from '../harness/cpu-meter.ts';
import { cpuNotes } from '../harness/measure.ts';
import { offeredLoad } from '../load/offered-load.ts';
import { currency, type P2p, P2pSource } from '../load/p2p.ts';
import { percentile } from '../load/percentiles.ts';
import { Seeded } from '../load/seeded.ts';

const connections = 20;

/**
 * `peer.naiveLoop`: the same load and the same provider, by what somebody writes in an afternoon: a row for the payment, a
 * signed request by node:http, an update of the row; what fails is sent again at once with the same key, which this
 * provider happens to honour. No hold, no entries, no intent, nothing that survives a crash between the two.
 */
export async function run(context: CaseContext): Promise<Measured> {
  const { database, warmupMs, postmasterPid } = context;
  const measureMs = windowMs(context);
  const pool = new pg.Pool({ ...database, max: connections });
  const provider = await SimulatedProvider.start('momo');
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 2_048 });
  try {
    await pool.query('create table payments (id text primary key, amount bigint not null, state text not null)');
    await context.checkpoint();
    const source = new P2pSource();
    const done: { readonly ms: number; readonly heldAt: number; readonly doneAt: number }[] = [];
    const pay = async ({ key, amount, payer }: P2p): Promise<void> => {
      await pool.query({
        name: 'insert',
        text: `insert into payments values ($1, $2, 'AUTHORIZED')`,
        values: [key, amount],
      });
      const heldAt = performance.now();
      const body = JSON.stringify({
        reference: key,
        amount: String(amount),
        currency,
        account: `beneficiary-${payer}`,
      });
      while ((await post(agent, provider.url, body)) !== 200);
      await pool.query({ name: 'update', text: `update payments set state = 'SETTLED' where id = $1`, values: [key] });
      const doneAt = performance.now();
      done.push({ ms: doneAt - heldAt - provider.latencyMs(key), heldAt, doneAt });
    };
    const from = performance.now() + warmupMs;
    const meter = new CpuMeter(postmasterPid, provider.pid);
    const metered = sleep(warmupMs).then(async () => {
      meter.begin();
      await sleep(measureMs);
      return meter.end();
    });
    const random = new Seeded(1_965);
    const { answered } = await offeredLoad({ perSecond, random, warmupMs, measureMs, send: () => pay(source.next()) });
    const use = await metered;
    const { rows } = await pool.query<{ settled: string }>(
      `select count(*) as settled from payments where state = 'SETTLED'`,
    );
    const { moved, doubles } = await provider.totals();
    mustHold(rows[0]?.settled === String(answered), `${answered} payments, ${rows[0]?.settled ?? 0} are settled`);
    mustHold(moved[currency]?.disbursed.count === answered && doubles.length === 0, 'the provider says something else');
    const own = Float64Array.from(done.filter(({ heldAt }) => heldAt >= from).map(({ ms }) => ms)).sort();
    const settled = done.filter(({ doneAt }) => doneAt >= from && doneAt < from + measureMs).length;
    return {
      figures: [
        { name: 'peer.naiveLoop', value: (settled * 1_000) / measureMs, unit: 'payments/s' },
        ...[0.5, 0.95, 0.99].map((part) => ({
          name: `peer.naiveLoop.p${part * 100}`,
          value: percentile(own, part),
          unit: 'ms' as const,
        })),
        { name: 'peer.naiveLoop.memory.peak', value: process.resourceUsage().maxRSS / 2 ** 10, unit: 'MB' },
      ],
      notes: { payments: own.length, ...cpuNotes(use, settled) },
    };
  } finally {
    agent.destroy();
    await provider.stop();
    await pool.end();
  }
}

function post(agent: Agent, baseUrl: string, body: string): Promise<number> {
  const path = '/disbursements';
  const timestamp = String(Date.now());
  const nonce = randomBytes(18).toString('base64url');
  return new Promise((resolve, reject) => {
    const asked = request(`${baseUrl}${path}`, {
      agent,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'x-timestamp': timestamp,
        'x-nonce': nonce,
        'x-signature': signRequest(providerSecret, { method: 'POST', path, timestamp, nonce, body }),
      },
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.end(body);
  });
}
