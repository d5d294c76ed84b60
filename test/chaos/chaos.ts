import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Seeded } from '../../bench/load/seeded.ts';
import { PostgresLog } from '../../eventstore/index.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { projectionLag } from '../../src/projections/lag.ts';
import { breakages, type Breakage, breakIt } from './breakage.ts';
import { Check, type Told } from './check.ts';
import { Cluster } from './cluster.ts';
import { Fleet } from './fleet.ts';
import { Load } from './load.ts';
import { asker, customers, merchants, openingBalance } from './orders.ts';
import { Watcher } from './watcher.ts';

export interface ChaosOptions {
  readonly rounds: number;
  /** What is broken, when and how, who pays whom: the same for the same seed. The interleaving is the machine's. */
  readonly seed: number;
  /** Processes of the product. Default 3. */
  readonly size?: number;
  /** Clients that pay at the same time. Default 8. */
  readonly clients?: number;
  /** Pause of a client between two orders, in milliseconds. Default 20. */
  readonly pauseMs?: number;
  /** Each round breaks one thing. Default: one round in three breaks two at the same time. */
  readonly oneByOne?: boolean;
  /** How many acknowledgements a round waits for before it breaks something, at most. Default 100. */
  readonly calmOrdersMax?: number;
  /** How long a process stands still, at most. Default 6 s. */
  readonly stillMsMax?: number;
  /** After so many rounds `kora verify` reads everything again; it does at the end in any case. Default 10. */
  readonly verifyEvery?: number;
  /** Processes know of each other, and forward commands to the preferred owner of a wallet. Default true. */
  readonly forwards?: boolean;
  readonly signal?: AbortSignal;
  readonly onRound?: (round: Round) => void;
}

export interface Round {
  readonly number: number;
  /** What was broken. */
  readonly broken: readonly string[];
  /** The longest time without an acknowledgement, from when it was broken. */
  readonly silenceMs: number;
  /** From when it was broken until every process had acknowledged a command again. */
  readonly wholeMs: number;
  readonly acknowledged: number;
  readonly findings: readonly string[];
}

export interface Outcome {
  readonly rounds: readonly Round[];
  readonly acknowledged: number;
  readonly resent: number;
  readonly givenUp: number;
  /** Events in the log. */
  readonly events: number;
  readonly reconnects: number;
  /** Everything that is wrong, by sentences. */
  readonly findings: readonly string[];
  /** Where the logs of the processes are; undefined: nothing is wrong, and they are gone. */
  readonly folder: string | undefined;
}

/** The product must be whole again by then: longer than any machine, however loaded, should take. */
const wholeLimitMs = 120_000;
/** What was told in one moment may be about another: the check is repeated for so long. */
const quietLimitMs = 20_000;

const launcher = fileURLToPath(new URL('../../ops/bin/kora.js', import.meta.url));

/**
 * Runs the product as several processes on one Postgres under load, breaks them, and holds what clients were told against
 * what is in the log. Whatever it starts is gone when it resolves or rejects.
 */
export async function chaos(options: ChaosOptions): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-chaos-'));
  // Started by root, Postgres runs as another user, who must get in.
  await chmod(folder, 0o755);
  const run = new Run(folder, options);
  let outcome: Omit<Outcome, 'folder'> | undefined;
  try {
    outcome = await run.run();
  } finally {
    await run.close();
    if (outcome?.findings.length === 0 || options.signal?.aborted === true) {
      await rm(folder, { recursive: true, force: true });
    }
  }
  if (outcome.findings.length > 0) await writeFile(join(folder, 'findings.txt'), outcome.findings.join('\n'));
  return { ...outcome, folder: outcome.findings.length === 0 ? undefined : folder };
}

class Run {
  readonly #folder: string;
  readonly #options: ChaosOptions;
  readonly #random: Seeded;
  readonly #signal: AbortSignal;
  readonly #findings: string[] = [];
  readonly #key = createServiceKey();
  readonly #identityKeys = `chaos:${randomBytes(32).toString('base64')}`;
  readonly #closing: (() => Promise<void> | void)[] = [];
  #deck: Breakage[] = [];

  constructor(folder: string, options: ChaosOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#random = new Seeded(options.seed);
    this.#signal = options.signal ?? new AbortController().signal;
  }

  async run(): Promise<Omit<Outcome, 'folder'>> {
    const { rounds: count, verifyEvery = 10, onRound } = this.#options;
    const logFolder = join(this.#folder, 'logs');
    await mkdir(logFolder);
    const cluster = await Cluster.open(join(this.#folder, 'data'), () => undefined);
    this.#closing.unshift(() => cluster.close());
    const token = await issueServiceToken({ key: this.#key, ...asker, ttlSeconds: 86_400 });
    const fleet = new Fleet({
      size: this.#options.size ?? 3,
      env: this.#environment(cluster),
      logFolder,
      token,
      onLoss: (sentence) => this.#findings.push(sentence),
    });
    this.#closing.unshift(() => fleet.close());
    await fleet.raise(this.#signal);
    await fleet.berths[0]?.doors?.openWallets();

    const log = new PostgresLog({ config: cluster.config });
    this.#closing.unshift(() => log.close());
    const watchers = this.#watchers(fleet, token);
    const opening = new Map<string, { posted: bigint; held: bigint }>();
    for (const wallet of merchants) opening.set(wallet, { posted: 0n, held: 0n });
    for (const wallet of customers) opening.set(wallet, { posted: openingBalance, held: 0n });
    const topics = new Set(watchers.flatMap(({ watched }) => watched.map(({ topic }) => topic)));
    const check = new Check({ topics: [...topics], opening });
    const { clients = 8, pauseMs = 20 } = this.#options;
    const load = new Load({ fleet, random: this.#random, clients, pauseMs });
    this.#closing.unshift(() => load.end());
    for (const watcher of watchers) watcher.begin();
    this.#closing.unshift(() => {
      for (const watcher of watchers) watcher.end();
    });

    const scene = { cluster, fleet, load, log, watchers, check };
    const rounds: Round[] = [];
    for (let number = 1; number <= count; number++) {
      const round = await this.#round(number, scene);
      const verifies = number === count || number % verifyEvery === 0 || round.findings.length > 0;
      const verified = verifies ? await this.#verify(cluster) : [];
      const whole = { ...round, findings: [...round.findings, ...verified] };
      rounds.push(whole);
      this.#findings.push(...whole.findings);
      onRound?.(whole);
      // What is wrong stays wrong; the state of things is worth more now than further rounds.
      if (this.#findings.length > 0) break;
    }
    return {
      rounds,
      acknowledged: load.acknowledged,
      resent: load.resent,
      givenUp: load.dealt.filter(({ answer }) => answer === undefined).length,
      events: check.position,
      reconnects: watchers.reduce((sum, { reconnects }) => sum + reconnects, 0),
      findings: [...new Set(this.#findings)],
    };
  }

  async close(): Promise<void> {
    for (const close of this.#closing) {
      try {
        await close();
      } catch (error) {
        this.#findings.push(`could not be closed: ${String(error)}`);
      }
    }
  }

  async #round(number: number, scene: Scene): Promise<Round> {
    const { fleet, cluster, load, watchers } = scene;
    const { calmOrdersMax = 100, stillMsMax = 6_000, oneByOne = false } = this.#options;
    const random = this.#random;
    const before = load.acknowledged;
    load.resume();
    const findings: string[] = [];
    const calm = before + 5 + random.below(calmOrdersMax);
    await this.#until(() => load.acknowledged >= calm, 'commands are acknowledged', findings);

    const what = [this.#next(), ...(!oneByOne && random.below(3) === 0 ? [this.#next()] : [])];
    const brokenAt = performance.now();
    load.silenceMs = 0;
    load.lastAt = brokenAt;
    const broken = await Promise.all(
      what.map(async (one, index) => {
        if (index > 0) await sleep(random.below(400));
        return breakIt(one, { fleet, cluster, random, stillMsMax, signal: this.#signal });
      }),
    );
    await cluster.answers(this.#signal);
    await fleet.raise(this.#signal);
    load.acknowledgedBy.clear();
    const everybody = (): boolean => fleet.berths.every((berth) => (load.acknowledgedBy.get(berth) ?? 0) > 0);
    await this.#until(everybody, 'every process acknowledges commands again', findings);
    const wholeMs = performance.now() - brokenAt;
    const { silenceMs } = load;

    load.pause();
    const answered = await this.#until(() => load.busy === 0, 'every command is answered', findings);
    if (!answered) {
      findings.push(
        ...[...load.atWork].map(({ type, key }) => `${type} ${key} is not answered, however often it is sent`),
      );
    }
    findings.push(...(await this.#judged(scene)), ...load.findings);
    findings.push(...watchers.flatMap(({ complaints }) => complaints));
    return { number, broken, silenceMs, wholeMs, acknowledged: load.acknowledged - before, findings };
  }

  /**
   * Everything that is wrong now. A process learns within moments what another one wrote, and a command that was given up
   * may still be carried out: what is wrong must stay wrong.
   */
  async #judged(scene: Scene): Promise<string[]> {
    const startedAt = performance.now();
    for (;;) {
      this.#signal.throwIfAborted();
      const findings = await this.#judgedOnce(scene).catch((error: unknown) => [`the check failed: ${String(error)}`]);
      if (findings.length === 0 || performance.now() - startedAt > quietLimitMs) return findings;
      await sleep(100);
    }
  }

  async #judgedOnce({ cluster, fleet, load, log, watchers, check }: Scene): Promise<string[]> {
    for await (const unit of log.readAll(check.position)) check.take(unit);
    const findings: string[] = [];
    for (const watcher of watchers) {
      if (!watcher.hasSeen((topic) => check.lastOf(topic))) findings.push(`${watcher.name} has not seen everything`);
    }
    const pool = new pg.Pool({ ...cluster.config, max: 1 });
    const lags = await projectionLag(pool).finally(() => pool.end());
    for (const { projection, eventsBehind, error } of lags) {
      if (error !== undefined) findings.push(`the projection ${projection} has stopped: ${error}`);
      else if (eventsBehind > 0) findings.push(`the projection ${projection} is ${eventsBehind} events behind`);
    }
    const told: Told[] = [];
    for (const { name, doors } of fleet.berths) {
      if (doors !== undefined) told.push({ process: name, wallets: await doors.wallets() });
    }
    const judged = check.judge(
      load.dealt,
      watchers.flatMap(({ watched }) => watched),
      told,
    );
    return [...findings, ...judged];
  }

  /** `kora verify`, as people run it. */
  #verify(cluster: Cluster): Promise<string[]> {
    const flags = ['--disable-warning=ExperimentalWarning', launcher, 'verify', '--json'];
    const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...this.#environment(cluster) };
    return new Promise((resolve) => {
      execFile(process.execPath, flags, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        resolve(
          error === null ? [] : [`kora verify ended with ${String(error.code)}: ${stderr}${stdout.slice(0, 4_000)}`],
        );
      });
    });
  }

  #environment(cluster: Cluster): Record<string, string> {
    return {
      DATABASE_URL: cluster.url,
      KORA_DATA_DIR: join(this.#folder, 'kora'),
      KORA_SERVICE_KEY: this.#key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      KORA_IDENTITY_KEYS: this.#identityKeys,
      ...(this.#options.forwards !== false && { KORA_ADVERTISE: '127.0.0.1:0' }),
    };
  }

  #watchers(fleet: Fleet, token: string): Watcher[] {
    const addresses = (): string[] => fleet.berths.flatMap(({ address }) => (address ? [address.stream] : []));
    const watching = { token, addresses };
    const some = customers.slice(0, 4).map((wallet): [string, number] => [`account/${wallet}`, 0]);
    const others = customers.slice(4).map((wallet): [string, undefined] => [`account/${wallet}`, undefined]);
    const topicsOf = [
      { payments: 0, 'account/fees:XOF': 0 },
      { payments: undefined, 'account/float:cash:XOF': 0, 'account/clearing:XOF': 0 },
      Object.fromEntries(some),
      { ...Object.fromEntries(others), 'account/shop': undefined, 'account/cafe': 0 },
    ];
    return topicsOf.map((topics, index) => {
      // Each has luck of its own: theirs depends on the network, and must not change what is broken.
      const random = new Seeded(this.#options.seed + 1 + index);
      return new Watcher({ name: `watcher ${index + 1}`, topics, random, ...watching });
    });
  }

  /** Every breakage comes once before one comes again. */
  #next(): Breakage {
    if (this.#deck.length === 0) this.#deck = [...breakages];
    const [card] = this.#deck.splice(this.#random.below(this.#deck.length), 1);
    return card ?? 'kill';
  }

  async #until(satisfied: () => boolean, what: string, findings: string[]): Promise<boolean> {
    const startedAt = performance.now();
    while (!satisfied()) {
      this.#signal.throwIfAborted();
      if (performance.now() - startedAt > wholeLimitMs) {
        findings.push(`not within ${wholeLimitMs / 1_000} s: ${what}`);
        return false;
      }
      await sleep(10);
    }
    return true;
  }
}

interface Scene {
  readonly cluster: Cluster;
  readonly fleet: Fleet;
  readonly load: Load;
  readonly log: PostgresLog;
  readonly watchers: readonly Watcher[];
  readonly check: Check;
}
