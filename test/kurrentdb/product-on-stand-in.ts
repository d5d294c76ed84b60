import { setTimeout as sleep } from 'node:timers/promises';
import { type EventLog, openKurrentLog } from '../../eventstore/index.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { kora, serve, type Serving } from '../cli/kora-process.ts';
import { keyringText } from '../identity/support.ts';
import { clientsOf, type RpcClients } from '../rpc/clients.ts';
import { StreamClient } from '../stream/support/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { StandIn } from './stand-in.ts';

const key = createServiceKey();
const keyring = keyringText('k1');

/** `kora` as processes on one KurrentDB (the stand-in) and one Postgres. */
export class ProductOnStandIn {
  readonly database: TestDatabase;
  /** As the test itself reads it. */
  readonly log: EventLog;
  readonly token: string;
  #standIn: StandIn;

  private constructor(database: TestDatabase, standIn: StandIn, log: EventLog, token: string) {
    this.database = database;
    this.#standIn = standIn;
    this.log = log;
    this.token = token;
  }

  static async start(): Promise<ProductOnStandIn> {
    const standIn = await StandIn.start();
    const token = await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 });
    const log = await openKurrentLog({ url: standIn.url });
    return new ProductOnStandIn(await createTestDatabase(), standIn, log, token);
  }

  get env(): Record<string, string> {
    return {
      DATABASE_URL: this.database.connectionString,
      EVENTSTORE_URL: this.#standIn.url,
      KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      KORA_IDENTITY_KEYS: keyring,
      KORA_STREAM_RECHECK_MS: '200',
    };
  }

  serve(env: Readonly<Record<string, string>> = {}): Promise<Serving> {
    return serve([], { env: { ...this.env, ...env } });
  }

  /** Runs a command that must succeed, and gives its JSON document. */
  async asked<Document>(...args: string[]): Promise<Document> {
    const { code, stdout, stderr } = await kora([...args, '--json'], { env: this.env });
    if (code !== 0) throw new Error(`kora ${args.join(' ')}: ${code} ${stderr} ${stdout}`);
    return JSON.parse(stdout) as Document;
  }

  /** Everything under way breaks; until `comeBack` nobody answers. */
  goAway(): void {
    this.#standIn.stop();
  }

  async comeBack(): Promise<void> {
    this.#standIn = await StandIn.start(this.#standIn);
  }

  rpcOf({ rpc }: Serving): RpcClients {
    return clientsOf(rpc, this.token);
  }

  streamOf({ stream }: Serving): Promise<StreamClient> {
    return StreamClient.connect(Number(new URL(stream).port), { token: this.token });
  }

  async http<Answer>({ http }: Serving, path: string, idempotencyKey?: string, body?: object): Promise<Answer> {
    const response = await fetch(`${http}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new HttpProblem(response.status, text);
    return JSON.parse(text) as Answer;
  }

  async stop(): Promise<void> {
    await this.log.close();
    this.#standIn.stop();
    await this.database.drop();
  }
}

export class HttpProblem extends Error {
  readonly status: number;
  constructor(status: number, body: string) {
    super(`${status} ${body}`);
    this.status = status;
  }
}

/** Asks again until it is satisfied. */
export async function eventually<Answer>(
  ask: () => Promise<Answer>,
  satisfied: (answer: Answer) => boolean,
  limitMs = 20_000,
): Promise<Answer> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    if (performance.now() > end) throw new Error(`not in ${limitMs} ms; last: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
}
