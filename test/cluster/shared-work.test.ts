import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { serve, type Serving } from '../cli/kora-process.ts';
import { RpcClient } from '../cli/rpc-client.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/**
 * Proves that several processes on one database are one Kora: a command is carried out once whichever doors it comes in at,
 * one wallet may be debited through all of them, and commands go on when a process is killed or replaced under load.
 */
describe('several processes', { timeout: 180_000 }, () => {
  const key = createServiceKey();
  const serviceKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  interface Process {
    readonly serving: Serving;
    readonly client: RpcClient;
    /** Whether it has carried out what is another one's, because that one did not answer in time. */
    readonly hasTakenOver: () => boolean;
    /** How many processes share the work, as far as it knows. */
    readonly members: () => number;
  }

  async function start(): Promise<Process> {
    const serving = await serve([], {
      env: { DATABASE_URL: database.connectionString, KORA_SERVICE_KEY: serviceKey, KORA_ADVERTISE: '127.0.0.1:0' },
    });
    let stderr = '';
    serving.process.stderr.on('data', (text: string) => (stderr += text));
    const token = await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 });
    return {
      serving,
      client: new RpcClient(serving.rpc, token),
      hasTakenOver: () => stderr.includes('is not forwarded to for a while'),
      members: () => Number([...stderr.matchAll(/"members":([0-9]+)/g)].at(-1)?.[1] ?? 1),
    };
  }

  const knowEachOther = (...processes: readonly Process[]): Promise<void> =>
    vi.waitFor(() => expect(processes.map(({ members }) => members())).toEqual(processes.map(() => processes.length)), {
      timeout: 30_000,
      interval: 50,
    });

  const payment = (idempotencyKey: string, payer: string, payee: string) => ({
    idempotencyKey,
    kind: 'PAYMENT_KIND_P2P',
    payer,
    payee,
    amount: '1',
    currency: 'XOF',
    upTo: 'PAY_UP_TO_SETTLED',
  });

  /** Whether a refusal is one that the same command may overcome. */
  type Again = (refused: string) => boolean;
  const comeAndGo: Again = (refused) => /contended|overloaded/i.test(refused);

  interface Result {
    readonly done?: { readonly payment?: { readonly paymentId: string; readonly status: string } };
    readonly refused?: { readonly refusal: unknown };
  }

  /**
   * Pays in batches until each has been answered with what was done; a call that fails is sent again to the next door, and
   * while processes come and go, so that they do not agree on the owner, also what says "send it again".
   */
  async function payAll(
    doors: () => readonly RpcClient[],
    keys: readonly string[],
    payer: string,
    payee: string,
    again: Again,
  ): Promise<string[]> {
    const commands = keys.map((idempotencyKey) => ({ pay: payment(idempotencyKey, payer, payee) }));
    for (let attempt = 0; attempt < 60; attempt++) {
      const clients = doors();
      const answer = await clients[attempt % clients.length]?.call('PaymentService/Batch', { commands });
      const results = (answer?.['results'] ?? []) as readonly Result[];
      const refused = results.filter((result) => result.refused !== undefined);
      expect(refused.filter((result) => !again(JSON.stringify(result)))).toEqual([]);
      const ids = results.flatMap(({ done }) => (done?.payment === undefined ? [] : [done.payment.paymentId]));
      if (ids.length === keys.length) return ids;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('not carried out after 60 attempts');
  }

  const keysOf = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

  async function postedOf({ client }: Process, accountId: string): Promise<string | undefined> {
    const answer = await client.call('AccountService/GetAccount', { accountId });
    return (answer?.['account'] as { posted?: string } | undefined)?.posted;
  }

  test('are one: the same key at two doors, one wallet through two doors, one killed and one replaced under load', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    await knowEachOther(one, two);
    for (const account of ['hot', 'payee']) await one.client.openAccount(account);
    await two.client.cashIn('funds', 'hot', '100000');

    // The same key at both doors at once is one payment, with one answer.
    const same = await Promise.all(
      keysOf('same', 20).flatMap((idempotencyKey) =>
        [one, two].map(async ({ client }) => {
          const answer = await client.call('PaymentService/Pay', payment(idempotencyKey, 'hot', 'payee'));
          return (answer?.['payment'] as { paymentId: string } | undefined)?.paymentId;
        }),
      ),
    );
    expect(same).not.toContain(undefined);
    expect(new Set(same).size).toBe(20);
    expect(await postedOf(one, 'payee')).toBe('20');
    expect(await postedOf(two, 'payee')).toBe('20');

    // One wallet through both doors: nothing is refused as contended, because one of them decides.
    const spread = async (doors: readonly Process[], prefix: string, again: Again): Promise<string[]> => {
      const ids = await Promise.all(
        Array.from({ length: 10 }, (_, lane) => {
          const order = doors.map(({ client }, index) => doors[(index + lane) % doors.length]?.client ?? client);
          return payAll(() => order, keysOf(`${prefix}-${lane}`, 20), 'hot', 'payee', again);
        }),
      );
      return ids.flat();
    };
    // (On a machine so busy that one waits for the other in vain, both may decide.)
    const agreed: Again = (refused) => comeAndGo(refused) && (one.hasTakenOver() || two.hasTakenOver());
    expect(new Set(await spread([one, two], 'hot', agreed)).size).toBe(200);
    expect(await postedOf(one, 'payee')).toBe('220');
    expect(await postedOf(two, 'payee')).toBe('220');

    // One after another is replaced while payments come: the next one first, then the old one ends.
    const three = await start();
    const rolling = spread([one, three], 'rolling', comeAndGo);
    two.serving.process.kill('SIGTERM');
    expect(await two.serving.ended).toMatchObject({ code: 0 });
    expect(new Set(await rolling).size).toBe(200);
    await knowEachOther(one, three);

    // One is killed in the middle: whichever it is, the other one goes on, and nothing happens twice.
    const dying = spread([three, one], 'dying', comeAndGo);
    process.kill(one.serving.pid, 'SIGKILL');
    expect(new Set(await dying).size).toBe(200);
    expect(new Set(await spread([three], 'dying', comeAndGo)).size).toBe(200);
    expect(await postedOf(three, 'payee')).toBe('620');
    expect(await postedOf(three, 'hot')).toBe('99380');
    await knowEachOther(three);
  });
});
