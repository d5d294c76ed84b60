import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kora, startKora } from '../composition.ts';
import { issueServiceToken } from '../gateway/service-token.ts';
import { streamPath } from '../gateway/stream/index.ts';
import { configFrom } from '../platform/config.ts';
import { createLogger } from '../platform/logging.ts';
import { projections, rebuild, verify } from '../projections/index.ts';
import { differenceCount } from '../projections/postgres/compare.ts';
import { serviceKeyOf } from '../service-key.ts';
import { Day } from './day.ts';
import { Driver } from './driver.ts';
import { isOfChapter, noConnectors, ProvidersChapter, secretName, writeDocument } from './providers/index.ts';
import { Random } from './random.ts';
import { reconcileDay, writeRules } from './reconciliation/index.ts';
import { demoReport, type DemoReport } from './report.ts';
import { walkThrough } from './walk-through.ts';
import { Tally } from './tally.ts';
import { Watcher } from './watcher.ts';

export interface DemoOptions {
  /** Where it tells people what it does. */
  readonly say: (line: string) => void;
  readonly warn: (line: string) => void;
  /** Stops it in good order. */
  readonly signal: AbortSignal;
  /** Resolves when its user has seen enough; only then it stops. Absent: it stops when it is done. */
  readonly keep?: () => Promise<void>;
  readonly customers?: number;
  readonly merchants?: number;
  readonly paymentsPerHour?: number;
  readonly seed?: number;
}

/**
 * A lifelike day on an embedded database in a temporary folder, through the real doors: everything that it prints was
 * answered over rpc, told over WebSockets or read from the projections of this run.
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { say, warn, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'kora-demo-'));
  const connectorsFile = join(folder, 'connectors.json');
  const config = configFrom(
    {
      KORA_LOG_LEVEL: 'warn',
      KORA_HTTP_PORT: '0',
      KORA_RPC_PORT: '0',
      KORA_STREAM_PORT: '0',
      KORA_METRICS_PORT: '0',
      KORA_RECONCILIATION_DATABASE_URL: 'embedded',
      KORA_RECONCILIATION_RULES: join(folder, 'rules.json'),
    },
    { dataDir: join(folder, 'data'), connectorsFile },
  );
  const secret = randomBytes(32).toString('hex');
  const logger = createLogger({
    level: config.logLevel,
    write: (line) => {
      if (!isOfChapter(line)) warn(line);
    },
    format: 'text',
  });
  say('Starting PostgreSQL and kora in a temporary folder …');
  let kora: Kora | undefined;
  let providers: ProvidersChapter | undefined;
  try {
    await writeDocument(connectorsFile, noConnectors);
    await writeRules(join(folder, 'rules.json'));
    kora = await startKora(config, { logger, secrets: { [secretName]: secret } });
    const { host } = config;
    providers = await ProvidersChapter.open({ kora, file: connectorsFile, secret, seed: options.seed ?? 7, host });
    const key = await serviceKeyOf(config);
    const token = await issueServiceToken({ key, service: 'demo', tenant: 'demo', ttlSeconds: 3_600 });
    const doors = {
      rpc: `http://${config.host}:${kora.rpcPort ?? 0}`,
      stream: `ws://${config.host}:${kora.streamPort ?? 0}${streamPath}`,
      http: `http://${config.host}:${kora.httpPort ?? 0}`,
      token,
    };
    const report = await spendTheDay(options, kora, doors, providers);
    if (options.keep !== undefined && !signal.aborted) {
      say('');
      say(`Still serving: rpc ${doors.rpc}, stream ${doors.stream}`);
      say(`Ask it:   curl -s -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\`);
      say(`            -d '{"accountId":"merchant-1"}' ${doors.rpc}/kora.v1.AccountService/GetAccount`);
      say(`TOKEN=${token}`);
      say(`Providers are told how to behave at ${providers.admins.join(' and ')} (docs/connectors.md).`);
      say('Ctrl-C stops it and removes its folder.');
      await options.keep();
    }
    return report;
  } finally {
    await providers?.leave();
    await kora?.close();
    await providers?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Doors {
  readonly rpc: string;
  readonly stream: string;
  readonly http: string;
  readonly token: string;
}

async function spendTheDay(
  options: DemoOptions,
  kora: Kora,
  doors: Doors,
  providers: ProvidersChapter,
): Promise<DemoReport> {
  const { say, warn, signal, customers = 2_000, merchants = 50, paymentsPerHour = 500, seed = 7 } = options;
  const random = new Random(seed);
  const tally = new Tally();
  const driver = new Driver(doors.rpc, doors.token, random, tally);
  const date = new Date().toISOString().slice(0, 10);
  const day = new Day({ customers, merchants, seed, date });

  await driver.batches(day.opening(), signal);
  say(`Opened ${customers} customers and ${merchants} merchants.`);
  say('');
  await walkThrough({ say, driver, doors, date, signal });

  const everything = new Watcher(doors.stream, doors.token, ['payments']);
  const watched = Array.from({ length: 20 }, () => random.pick(day.customers));
  const some = watched.map((id) => new Watcher(doors.stream, doors.token, [`account/${id}`]));
  await Promise.all([everything, ...some].map((watcher) => watcher.ready()));
  const from = await kora.log.lastPosition();
  const started = performance.now();

  say('');
  say(`A day passes, watched by ${some.length + 1} WebSocket clients; money comes and goes by two providers, too …`);
  let seconds = 0;
  let to = from;
  const passes = async (signal: AbortSignal): Promise<void> => {
    await passDay(day, driver, paymentsPerHour, signal);
    seconds = (performance.now() - started) / 1_000;
    to = await kora.log.lastPosition();
  };
  // Dice of its own: the day is the same on every run, whatever the providers take.
  const mobile = new Driver(doors.rpc, doors.token, new Random(seed + 1), tally);
  await together(signal, passes, (signal) =>
    providers.play({ say, driver: mobile, random: new Random(seed + 2), date, signal }),
  );
  say(`${tally.payments.size} payments, ${to - from} events in ${seconds.toFixed(1)} s.`);

  await kora.projected(signal);
  const watchers = { everything, some };
  const report = await demoReport({ kora, tally, driver, watchers, seconds, from, to });
  for (const watcher of [everything, ...some]) watcher.close();
  const books = await providers.report();
  report.problems.push(...books.problems);

  say('');
  say('Rebuilding every projection from position 0, while the live ones serve …');
  for (const projection of projections) {
    const rebuilt = await rebuild({ log: kora.log, pool: kora.pool, projection, signal });
    const differences = rebuilt.differences.reduce((sum, table) => sum + differenceCount(table), 0);
    say(
      `  ${projection.name.padEnd(14)} ${String(rebuilt.rows).padStart(6)} rows from ${rebuilt.events} events, ` +
        `${rebuilt.eventsPerSecond} events/s, ${differences} differences`,
    );
    if (differences > 0) report.problems.push(`${projection.name}: rebuilt otherwise than it was live`);
  }
  const verified = await verify({ pool: kora.pool, projections, signal });
  for (const { position, message } of verified.findings.slice(0, 3)) {
    report.problems.push(`verify: position ${position}: ${message}`);
  }
  say(
    `Verified: hash chain, positions, balanced units, limits, account figures, projections: ${verified.findings.length} findings.`,
  );
  say('');
  for (const line of [...report.lines, '', ...books.lines]) say(line);
  say('');
  say('The day ends: the provider reports, and the bank …');
  const reports = await providers.settlementReports();
  const { http, token } = doors;
  const reconciled = await reconcileDay({ kora, http, token, reports, date, signal });
  report.problems.push(...reconciled.problems);
  for (const line of reconciled.lines) say(line);
  for (const problem of report.problems.slice(0, 20)) warn(`NOT AS PROMISED: ${problem}`);
  return report;
}

async function passDay(day: Day, driver: Driver, paymentsPerHour: number, signal: AbortSignal): Promise<void> {
  const learn = (hour: number, payments: Awaited<ReturnType<Driver['batches']>>): void => {
    for (const payment of payments) day.learn(payment, hour);
  };
  learn(6, await driver.batches(day.morning(), signal));
  for (let hour = 7; hour < 24 || day.unfinished; hour++) {
    const commands = day.hour(hour, hour < 24 ? paymentsPerHour : 0);
    // Most come in batches from back ends; some alone, from apps: their time is what a person waits.
    const alone = Math.min(60, Math.floor(commands.length / 5));
    const [many, few] = await Promise.all([
      driver.batches(commands.slice(alone), signal),
      driver.singly(commands.slice(0, alone), 4, signal),
    ]);
    learn(hour, [...many, ...few]);
  }
}

/** Does all of it at once. Where one fails the others are stopped and waited for, and it says why. */
async function together(
  signal: AbortSignal,
  ...works: readonly ((signal: AbortSignal) => Promise<void>)[]
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  await Promise.allSettled(works.map((work) => work(either).catch((error: unknown) => over.abort(error))));
  either.throwIfAborted();
}
