import { setTimeout as delay } from 'node:timers/promises';
import { LogCorruptionError, type EventLog, type Position, type RecordedUnit } from '../../../eventstore/index.ts';
import { chosenProtocol, tokenOf, type TokenCheck, type TokenVerdict } from './admission.ts';
import { followLog } from './follower.ts';
import { defaultStreamLimits, type StreamLimits } from './limits.ts';
import { LiveFeed } from './live-feed.ts';
import { closeCodes, encode, protocolVersion, type CloseCode } from './protocol.ts';
import { ReadGate } from './read-gate.ts';
import { StateReader } from './read-state.ts';
import { Session } from './session.ts';
import type { Admission, ConnectRequest, Connection, ConnectionHandlers, Transport } from './transport.ts';
import { listenWithUws } from './uws-transport.ts';

/** Where the door tells what happens to it. Pino's shape. */
export interface StreamLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface StreamDoorOptions {
  readonly log: EventLog;
  readonly tokens: TokenCheck;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly limits?: Partial<StreamLimits>;
  readonly logger?: StreamLogger;
}

export interface StreamDoor {
  readonly port: number;
  /** The live state that clients are served from: for metrics. */
  readonly feed: LiveFeed;
  /** Takes no more clients, tells those that are there where to resume, lets them go. */
  close(): Promise<void>;
}

export const streamPath = '/stream';
/** Time for a close frame to leave before its socket is cut off. */
const lingerMs = 100;
/** setTimeout takes no more. */
const timerMaxMs = 2_147_483_647;

/** Opens the stream door: docs/stream.md. */
export async function startStreamDoor(options: StreamDoorOptions): Promise<StreamDoor> {
  const head = await options.log.lastPosition();
  const door = new Door(options, head);
  return door.open();
}

class Door {
  readonly #options: StreamDoorOptions;
  readonly #limits: StreamLimits;
  readonly #feed: LiveFeed;
  readonly #sources;
  readonly #sessions = new Set<Session>();
  readonly #ended = new AbortController();
  /** Sessions with something to send. */
  #queued: Session[] = [];
  #connecting = 0;

  constructor(options: StreamDoorOptions, head: Position) {
    const { log } = options;
    this.#options = options;
    this.#limits = { ...defaultStreamLimits, ...options.limits };
    this.#feed = new LiveFeed(head);
    const gate = new ReadGate(this.#limits.readsMax);
    this.#sources = { log, feed: this.#feed, states: new StateReader(log), gate };
    this.#feed.store.on('fed', ({ deliveries, before }) => {
      for (const { hot, frame } of deliveries) for (const watcher of hot.watchers) watcher.take(frame);
      const sessions = this.#queued;
      this.#queued = [];
      for (const session of sessions) session.flush(before);
    });
  }

  async open(): Promise<StreamDoor> {
    const { bufferedBytesMax, idleTimeoutMs, messageBytesMax } = this.#limits;
    const transport = await listenWithUws({
      host: this.#options.host,
      port: this.#options.port,
      path: streamPath,
      messageBytesMax: messageBytesMax * 16,
      bufferedBytesMax: bufferedBytesMax * 16,
      idleTimeoutMs,
      admit: (request) => this.#admit(request),
    });
    const following = followLog({
      log: this.#options.log,
      after: this.#feed.head,
      signal: this.#ended.signal,
      advanced: (units) => this.#advance(units),
      failed: (error) => this.#followingFailed(error),
    });
    let closing: Promise<void> | undefined;
    return {
      port: transport.port,
      feed: this.#feed,
      close: () => (closing ??= this.#close(transport, following)),
    };
  }

  async #admit(request: ConnectRequest): Promise<Admission> {
    if (this.#ended.signal.aborted) return closing;
    if (this.#sessions.size + this.#connecting >= this.#limits.connectionsMax) {
      return refused('503 Service Unavailable', 'Overloaded', 'too many connections: try again later');
    }
    const protocol = chosenProtocol(request);
    if (protocol === undefined) return refused('400 Bad Request', 'BadProtocol', 'the protocol is kora.v1');
    this.#connecting += 1;
    let verdict: TokenVerdict;
    try {
      verdict = await this.#options.tokens.verify(tokenOf(request));
    } catch (error) {
      this.#options.logger?.error({ err: error }, 'stream: a token could not be checked');
      return refused('503 Service Unavailable', 'Unavailable', 'the token could not be checked: try again');
    } finally {
      this.#connecting -= 1;
    }
    if (!verdict.ok) return refused('401 Unauthorized', 'Unauthenticated', verdict.message);
    const { expiresAtMs } = verdict.identity;
    return { ok: true, protocol, open: (connection) => this.#session(connection, expiresAtMs) };
  }

  #session(connection: Connection, expiresAtMs: number): ConnectionHandlers {
    const session: Session = new Session({
      connection,
      sources: this.#sources,
      limits: this.#limits,
      queued: (queued) => this.#queued.push(queued),
      closed: () => {
        clearTimeout(expiry);
        this.#sessions.delete(session);
        this.#feed.store.trigger.sessionClosed();
      },
      failed: (error) => this.#options.logger?.error({ err: error }, 'stream: the log could not be read for a client'),
    });
    const left = Math.min(timerMaxMs, Math.max(0, expiresAtMs - Date.now()));
    const expiry = setTimeout(() => session.close(closeCodes.tokenExpired), left);
    expiry.unref();
    this.#sessions.add(session);
    this.#feed.store.trigger.sessionOpened();
    const tokenExpiresAt = new Date(expiresAtMs).toISOString();
    session.send([encode({ hello: { protocol: protocolVersion, position: this.#feed.head, tokenExpiresAt } })]);
    return session;
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

  async #close(transport: Transport, following: Promise<void>): Promise<void> {
    this.#ended.abort();
    transport.stopListening();
    await following;
    const grace = delay(this.#limits.closeGraceMs, undefined, { ref: false });
    await Promise.race([grace, Promise.all([...this.#sessions].map((session) => session.uncongested()))]);
    if (this.#sessions.size > 0) {
      this.#closeSessions(closeCodes.goingAway);
      await delay(lingerMs);
    }
    transport.close();
  }

  #closeSessions(code: CloseCode, after?: Position): void {
    for (const session of [...this.#sessions]) session.close(code, after);
  }
}

const closing = refused('503 Service Unavailable', 'Closing', 'Kora is shutting down');

function refused(status: string, code: string, message: string): Admission {
  return { ok: false, status, body: { code, message } };
}
