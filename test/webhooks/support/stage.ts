import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PostgresLog } from '../../../eventstore/index.ts';
import { readKeyring } from '../../../src/identity/index.ts';
import { moduleRoles } from '../../../src/modules.ts';
import { asRole } from '../../../src/platform/postgres/module-roles.ts';
import {
  createWebhooks,
  type AddedEndpoint,
  type Answer,
  runWebhooks,
  type Webhooks,
} from '../../../src/webhooks/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { Scribe } from '../../support/units.ts';
import { type Receiver } from './receiver.ts';

type RunOptions = Parameters<typeof runWebhooks>[0];

/** A time that goes as the tests say. */
export class Clock {
  ms = Date.parse('2026-03-01T08:00:00Z');
  readonly now = (): Date => new Date(this.ms);
  advance(ms: number): void {
    this.ms += ms;
  }
}

export const loopback = ['127.0.0.0/8'];

/** A log, and who tells others of it, on a database of their own and as the role of the module. */
export class WebhookStage {
  readonly database: TestDatabase;
  readonly log: PostgresLog;
  readonly pool: pg.Pool;
  readonly scribe: Scribe;
  readonly keyringText: string;
  readonly clock = new Clock();
  readonly webhooks: Webhooks;
  readonly troubles: string[] = [];
  readonly #runs: { readonly stop: () => Promise<void> }[] = [];

  static async open(): Promise<WebhookStage> {
    return new WebhookStage(await createTestDatabase());
  }

  constructor(database: TestDatabase) {
    this.database = database;
    this.log = new PostgresLog({ config: asRole(database.poolConfig, moduleRoles.eventstore.role) });
    this.pool = new pg.Pool({ ...asRole(database.poolConfig, moduleRoles.webhooks.role), max: 8 });
    this.pool.on('error', () => undefined);
    this.scribe = new Scribe(this.log);
    this.keyringText = `k1:${randomBytes(32).toString('base64url')}`;
    this.webhooks = createWebhooks({
      pool: this.pool,
      sealer: readKeyring(this.keyringText),
      lastPosition: () => this.log.lastPosition(),
      allowedNetworks: loopback,
      now: this.clock.now,
    });
  }

  /** Starts to tell others. Several may run. */
  run(options: Partial<RunOptions> = {}): { readonly stop: () => Promise<void> } {
    const over = new AbortController();
    const running = runWebhooks({
      log: this.log,
      pool: this.pool,
      sealer: readKeyring(this.keyringText),
      allowedNetworks: loopback,
      signal: over.signal,
      onError: (error, what) => this.troubles.push(`${what}: ${String(error)}`),
      pollMs: 10,
      graceMs: 0,
      now: this.clock.now,
      random: () => 1,
      ...options,
    });
    const run = {
      stop: async () => {
        over.abort();
        await running;
      },
    };
    this.#runs.push(run);
    return run;
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#runs.splice(0).map((run) => run.stop()));
  }

  async add(receiver: Receiver, types: readonly string[] = ['*'], owner = 'service:shop'): Promise<AddedEndpoint> {
    return granted(await this.webhooks.add({ owner, url: await receiver.listen(), types }));
  }

  /** Deliveries of an endpoint by how they stand. */
  async standing(endpointId: string): Promise<Record<string, number>> {
    const { rows } = await this.pool.query<{ status: string; n: string }>(
      'select status, count(*) as n from webhooks.deliveries where endpoint_id = $1 group by status',
      [endpointId],
    );
    return Object.fromEntries(rows.map(({ status, n }) => [status, Number(n)]));
  }

  /** Resolves when everything that is in the log was told, one way or another. */
  async told(): Promise<void> {
    await this.scribe.written();
    await this.until(async () => {
      const { rows } = await this.pool.query<{ position: string; pending: string }>(
        `select position, (select count(*) from webhooks.deliveries where status = 'pending') as pending
         from webhooks.checkpoints where name = 'deliveries'`,
      );
      return Number(rows[0]?.position) === (await this.log.lastPosition()) && Number(rows[0]?.pending) === 0;
    });
  }

  async until(so: () => boolean | Promise<boolean>, what = 'what the test waits for'): Promise<void> {
    for (let tries = 0; !(await so()); tries += 1) {
      if (tries > 3_000) throw new Error(`${what} does not come: ${this.troubles.join('; ')}`);
      await sleep(5);
    }
  }

  async close(): Promise<void> {
    await this.stopAll();
    await this.log.close();
    await this.pool.end();
    await this.database.drop();
  }
}

export function granted<Value>(answer: Answer<Value>): Value {
  if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`);
  return answer.value;
}
