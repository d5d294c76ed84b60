import { LogCorruptionError, type EventLog, type Position, type RecordedUnit } from '../../../eventstore/index.ts';
import type { Authenticator } from '../principal.ts';
import { Credential } from './credential.ts';
import { Doorkeeper, principalKey, refused, type Guest } from './doorkeeper.ts';
import { followLog } from './follower.ts';
import { defaultStreamLimits, type StreamLimits } from './limits.ts';
import { LiveFeed } from './live-feed.ts';
import { closeCodes, encode, protocolVersion, type CloseCode } from './protocol.ts';
import { openTransport, type Listen, type OpenedTransport, type StreamTransport } from './open-transport.ts';
import { Quotas } from './quotas.ts';
import { ReadGate } from './read-gate.ts';
import { StateReader } from './read-state.ts';
import { Session } from './session.ts';
import type { StreamLogger } from './stream-logger.ts';
import { Subscriptions, type Share } from './subscriptions.ts';
import { systemTiming, type StreamTiming } from './timing.ts';
import { TopicAccess } from './topic-access.ts';
import type { Admission, ConnectRequest, Connection } from './transport.ts';

export interface StreamDoorOptions {
  readonly log: EventLog;
  readonly authenticator: Authenticator;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** What to listen with. Default `uws`; `ws` takes over where that cannot be loaded. The simulation brings its own. */
  readonly transport?: StreamTransport | Listen;
  /** Origins of the pages that may connect: `https://app.example`. Default none. Clients that are no pages need none. */
  readonly origins?: readonly string[];
  /** Addresses (`192.0.2.7`) and networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` is believed. Default none. */
  readonly trustedProxies?: readonly string[];
  readonly limits?: Partial<StreamLimits>;
  readonly logger?: StreamLogger;
  /** Default the system's clock and turns. */
  readonly timing?: StreamTiming;
}

export interface StreamDoor {
  readonly port: number;
  /** What it listens with. */
  readonly transport: OpenedTransport['name'];
  /** The live state that clients are served from: for metrics. */
  readonly feed: LiveFeed;
  /** Takes no more clients, tells those that are there where to resume, lets them go. */
  close(): Promise<void>;
}

export const streamPath = '/stream';
/** Time for a close frame to leave before its socket is cut off. */
const lingerMs = 100;

/** Opens the stream door: docs/stream.md. */
export async function startStreamDoor(options: StreamDoorOptions): Promise<StreamDoor> {
  const head = await options.log.lastPosition();
  const door = new Door(options, head);
  return door.open();
}

class Door {
  readonly #options: StreamDoorOptions;
  readonly #limits: StreamLimits;
  readonly #timing: StreamTiming;
  readonly #feed: LiveFeed;
  readonly #sources;
  readonly #access: TopicAccess;
  readonly #doorkeeper: Doorkeeper;
  readonly #watched: Quotas<Share>;
  readonly #sessions = new Set<Session>();
  readonly #ended = new AbortController();
  /** Sessions with something to send. */
  #queued: Session[] = [];

  constructor(options: StreamDoorOptions, head: Position) {
    const { authenticator, log, logger, origins = [], trustedProxies = [] } = options;
    const limits = { ...defaultStreamLimits, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#timing = options.timing ?? systemTiming;
    this.#feed = new LiveFeed(head);
    const gate = new ReadGate(limits.readsMax);
    const states = new StateReader(log);
    this.#sources = { log, feed: this.#feed, states, gate, timing: this.#timing };
    this.#access = new TopicAccess(states, gate);
    this.#doorkeeper = new Doorkeeper({ authenticator, origins, trustedProxies, limits, logger });
    this.#watched = new Quotas({
      inAll: limits.subscriptionsInAllMax,
      byPrincipal: limits.subscriptionsPerPrincipalMax,
      byAddress: limits.subscriptionsPerAddressMax,
    });
    this.#feed.store.on('fed', ({ deliveries, before }) => {
      for (const { hot, frame } of deliveries) for (const watcher of hot.watchers) watcher.take(frame);
      const sessions = this.#queued;
      this.#queued = [];
      for (const session of sessions) session.flush(before);
    });
  }

  async open(): Promise<StreamDoor> {
    const { bufferedBytesMax, idleTimeoutMs, messageBytesMax } = this.#limits;
    const { host, port, logger, transport: wanted = 'uws' } = this.#options;
    const listening = {
      host,
      port,
      path: streamPath,
      messageBytesMax: messageBytesMax * 16,
      bufferedBytesMax: bufferedBytesMax * 16,
      idleTimeoutMs,
      admit: (request: ConnectRequest) => this.#admit(request),
    };
    const transport = await openTransport(wanted, listening, logger);
    const following = followLog({
      log: this.#options.log,
      after: this.#feed.head,
      signal: this.#ended.signal,
      timing: this.#timing,
      advanced: (units) => this.#advance(units),
      failed: (error) => this.#followingFailed(error),
    });
    let closing: Promise<void> | undefined;
    return {
      port: transport.port,
      transport: transport.name,
      feed: this.#feed,
      close: () => (closing ??= this.#close(transport, following)),
    };
  }

  async #admit(request: ConnectRequest): Promise<Admission> {
    if (this.#ended.signal.aborted) return closing;
    const guest = await this.#doorkeeper.admit(request);
    if (!guest.ok) return guest;
    return {
      ok: true,
      protocol: guest.protocol,
      open: (connection) => this.#session(connection, guest),
      abandoned: () => guest.leave(),
    };
  }

  #session(connection: Connection, guest: Guest): Session {
    const session = new Session(
      {
        connection,
        limits: this.#limits,
        timing: this.#timing,
        head: () => this.#feed.head,
        queued: (queued) => this.#queued.push(queued),
        closed: (closed) => {
          guest.leave();
          this.#sessions.delete(closed);
          this.#feed.store.trigger.sessionClosed();
        },
      },
      (made) => {
        const credential = this.#credential(made, guest, () => subscriptions.recheck());
        const subscriptions = this.#subscriptions(made, guest, credential);
        return { credential, subscriptions };
      },
    );
    this.#sessions.add(session);
    this.#feed.store.trigger.sessionOpened();
    const tokenExpiresAt = new Date(guest.principal.expiresAtMs).toISOString();
    session.send([encode({ hello: { protocol: protocolVersion, position: this.#feed.head, tokenExpiresAt } })]);
    return session;
  }

  #credential(session: Session, { principal, token, device }: Guest, changed: () => void): Credential {
    return new Credential({
      authenticator: this.#options.authenticator,
      principal,
      token,
      device,
      recheckMs: this.#limits.recheckMs,
      timing: this.#timing,
      changed,
      over: (code) => session.close(code),
      failed: (error) => this.#options.logger?.warn({ err: error }, 'stream: a token could not be checked again'),
    });
  }

  #subscriptions(session: Session, { place, principal }: Guest, credential: Credential): Subscriptions {
    return new Subscriptions({
      sources: this.#sources,
      access: this.#access,
      outlet: session,
      max: this.#limits.subscriptionsMax,
      quotas: this.#watched,
      shares: { inAll: '', byPrincipal: principalKey(principal.tenant, principal.principal), byAddress: place },
      principal: () => credential.principal,
      refuse: (code, message, topic) => session.refuse(code, message, topic),
      failed: (error) => this.#options.logger?.error({ err: error }, 'stream: the log could not be read for a client'),
    });
  }

  #advance(units: readonly RecordedUnit[]): void {
    const before = this.#feed.head;
    try {
      this.#feed.store.trigger.advanced({ units });
    } catch (error) {
      // Some got what others did not: all come back to before these units.
      this.#options.logger?.error({ err: error, after: before }, 'stream: units could not be fed');
      this.#queued = [];
      this.#closeSessions(closeCodes.internal, before);
      this.#feed.store.trigger.passedOver({ head: units.at(-1)?.lastPosition ?? before });
    }
  }

  #followingFailed(error: unknown): void {
    if (!(error instanceof LogCorruptionError)) {
      this.#options.logger?.warn({ err: error }, 'stream: the log cannot be followed, trying again');
      return;
    }
    // Nothing may be told past it. Whoever comes back gets what is before it, and is sent away again.
    this.#options.logger?.error({ err: error }, 'stream: the log is corrupted');
    this.#closeSessions(closeCodes.internal);
  }

  async #close(transport: OpenedTransport, following: Promise<void>): Promise<void> {
    this.#ended.abort();
    transport.stopListening();
    await following;
    const grace = this.#delay(this.#limits.closeGraceMs);
    await Promise.race([grace, Promise.all([...this.#sessions].map((session) => session.uncongested()))]);
    if (this.#sessions.size > 0) {
      this.#closeSessions(closeCodes.goingAway);
      await this.#delay(lingerMs, 'stays');
    }
    transport.close();
  }

  #delay(delayMs: number, stays?: 'stays'): Promise<void> {
    return new Promise((resolve) => void this.#timing.after(delayMs, resolve, stays));
  }

  #closeSessions(code: CloseCode, after?: Position): void {
    for (const session of [...this.#sessions]) session.close(code, after);
  }
}

const closing = refused('503 Service Unavailable', 'Closing', 'Kora is shutting down');
