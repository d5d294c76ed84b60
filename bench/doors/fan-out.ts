import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { CpuMeter } from '../harness/cpu-meter.ts';
import { cpuNotes, round } from '../harness/measure.ts';
import { percentile } from '../load/percentiles.ts';
import type { FromServer, ToServer } from './fan-out-server.ts';
import { type Dialect, WatchingSocket } from './watching-socket.ts';

/** Connections, each with one subscription, all to the same topic. */
const watchersCount = 5_000;
/** Connections that are made at a time. */
const connectingMax = 100;
/** Connections whose messages are kept and read at the end. */
const readCount = 20;
/** Events on their way while as many as possible are delivered. */
const inFlight = 4;
/** Events a second while latency is measured: a load that leaves room. */
const perSecond = 5;

/** A server of the case, in a process of its own. */
class Server {
  readonly #child;
  #heard: (message: FromServer) => void = () => undefined;
  readonly #ended: Promise<never>;

  constructor(program: string) {
    this.#child = fork(program, {
      execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'],
    });
    this.#child.on('message', (message) => this.#heard(message as FromServer));
    this.#ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`the server ended with ${String(code)}`);
    });
    this.#ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell(message: ToServer): void {
    this.#child.send(message);
  }

  /** Tells it, and waits for its answer. */
  ask<Type extends FromServer['type']>(message: ToServer, type: Type): Promise<FromServer & { type: Type }> {
    const answer = new Promise<FromServer & { type: Type }>((resolve, reject) => {
      this.#heard = (heard) => {
        if (heard.type === type) resolve(heard as FromServer & { type: Type });
        else if (heard.type === 'failed') reject(new Error(heard.message));
      };
    });
    this.tell(message);
    return Promise.race([answer, this.#ended]);
  }

  async end(): Promise<void> {
    this.tell({ type: 'end' });
    const [code] = (await once(this.#child, 'exit')) as [number | null];
    mustHold(code === 0, `the server ended with ${String(code)}`);
  }
}

/** Events by number: when each was asked for, and how many have not got it. */
class Events {
  readonly #askedAt: number[] = [];
  readonly #missing: number[] = [];
  #latencies: number[] | undefined;
  #whole: () => void = () => undefined;
  delivered = 0;
  /** Events that everybody has. */
  complete = 0;

  get asked(): number {
    return this.#askedAt.length;
  }

  ask(count: number): void {
    const now = performance.now();
    for (let index = 0; index < count; index++) {
      this.#askedAt.push(now);
      this.#missing.push(watchersCount);
    }
  }

  readonly came = (index: number): void => {
    this.delivered += 1;
    this.#latencies?.push(performance.now() - (this.#askedAt[index] ?? NaN));
    const missing = (this.#missing[index] ?? 0) - 1;
    this.#missing[index] = missing;
    if (missing > 0) return;
    this.complete += 1;
    this.#whole();
  };

  /** Called each time everybody has one more event. */
  set onComplete(whole: () => void) {
    this.#whole = whole;
  }

  /** Resolves when everybody has everything that was asked for. */
  async settled(): Promise<void> {
    while (this.complete < this.asked) await new Promise<void>((resolve) => (this.#whole = resolve));
    this.#whole = () => undefined;
  }

  keepLatencies(): void {
    this.#latencies = [];
  }
  get latencies(): Float64Array {
    return Float64Array.from(this.#latencies ?? []).sort();
  }
}

/**
 * One topic, 5,000 connections that watch it: deliveries a second when as many as possible are on their way, how long a
 * delivery takes when they are few, and what memory a connection takes.
 *
 * @param name of the figures; the deliveries have it as it is
 */
export async function measureFanOut(
  context: CaseContext,
  name: string,
  { program, dialect }: { readonly program: URL; readonly dialect: Dialect },
): Promise<Measured> {
  const server = new Server(fileURLToPath(program));
  const { port, token } = await server.ask({ type: 'start', databaseUrl: context.databaseUrl }, 'started');
  await context.checkpoint();
  const { bytes: before } = await server.ask({ type: 'memory' }, 'memory');
  const events = new Events();
  const watchers: WatchingSocket[] = [];
  while (watchers.length < watchersCount) {
    const connecting = Array.from({ length: connectingMax }, (_, index) => {
      const keep = watchers.length === 0 && index < readCount;
      return new WatchingSocket(port, dialect, { token, keep, onEvent: events.came });
    });
    await Promise.all(connecting.map(({ live }) => live));
    watchers.push(...connecting);
  }
  await sleep(500);
  const { bytes: after } = await server.ask({ type: 'memory' }, 'memory');

  const throughput = await saturate(context, server, events);
  await events.settled();
  events.keepLatencies();
  for (let index = 0; index < (context.measureMs / 1_000) * perSecond; index++) {
    events.ask(1);
    server.tell({ type: 'publish', count: 1 });
    await sleep(1_000 / perSecond);
  }
  await events.settled();
  const { latencies } = events;

  check(watchers, events.asked, dialect);
  for (const watcher of watchers) watcher.close();
  await server.end();
  const bytes = watchers.reduce((sum, watcher) => sum + watcher.bytes, 0) / (events.asked * watchersCount);
  return {
    figures: [
      { name, value: throughput.perSecond, unit: 'deliveries/s' },
      ...[0.5, 0.95, 0.99].map((share) => ({
        name: `${name}.p${share * 100}`,
        value: percentile(latencies, share),
        unit: 'ms' as const,
      })),
      { name: `${name}.memory`, value: (after - before) / watchersCount / 1_024, unit: 'KiB/connection' },
    ],
    notes: { ...throughput.notes, events: events.asked, bytes: round(bytes, 1) },
  };
}

/** As many deliveries as there can be: an event is asked for when everybody has one that was asked for before. */
function saturate(
  { postmasterPid, warmupMs, measureMs }: CaseContext,
  server: Server,
  events: Events,
): Promise<{ readonly perSecond: number; readonly notes: Record<string, number> }> {
  const meter = new CpuMeter(postmasterPid, server.pid);
  const publish = (count: number): void => {
    events.ask(count);
    server.tell({ type: 'publish', count });
  };
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let begin: { readonly at: number; readonly delivered: number } | undefined;
    // The clock runs from an event that everybody has to another.
    events.onComplete = () => {
      const at = performance.now();
      if (begin === undefined && at - startedAt >= warmupMs) {
        begin = { at, delivered: events.delivered };
        meter.begin();
      }
      if (begin === undefined || at - begin.at < measureMs) {
        publish(1);
        return;
      }
      events.onComplete = () => undefined;
      const deliveries = events.delivered - begin.delivered;
      resolve({ perSecond: (deliveries * 1_000) / (at - begin.at), notes: cpuNotes(meter.end(), deliveries) });
    };
    publish(inFlight);
  });
}

/** Everybody had every event, each once and in order. */
function check(watchers: readonly WatchingSocket[], asked: number, dialect: Dialect): void {
  for (const { count } of watchers) mustHold(count === asked, `${asked} events, ${count} came on one connection`);
  for (const { kept } of watchers) {
    let last: { readonly position: number; readonly version: number } | undefined;
    for (const text of kept ?? []) {
      const { position, events } = dialect.read(text);
      const { version = NaN } = events[0] ?? {};
      const follows = last === undefined || (version === last.version + 1 && position > last.position);
      mustHold(follows && events.length === 1, `version ${version} came after ${String(last?.version)}`);
      last = { position, version };
    }
  }
}
