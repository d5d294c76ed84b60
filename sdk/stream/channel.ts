import { backoffMs, sleep, type RetryPolicy } from '../calls/retry.ts';
import { KoraFault } from '../fault.ts';
import { Connection, type ConnectionTimes, type Pass } from './connection.ts';
import { closeCodes, type ServerMessage } from './protocol.ts';
import { Topics } from './topics.ts';
import type { Watching } from './watching.ts';

/** What a channel needs to be let in. */
export interface Doorkeeper {
  /**
   * A token that is good for now.
   *
   * @param leftMs and for so long
   * @throws KoraFault where nobody answers who could give one; everything else is final, and told to the watchers
   */
  pass(leftMs?: number): Promise<Pass>;
  /**
   * The door does not let this client in, or no longer; a browser is not told why. Resolves when it makes sense to knock
   * again, maybe with another one.
   *
   * @throws as `pass`
   */
  turnedAway(): Promise<void>;
}

export interface ChannelOptions {
  readonly url: string;
  readonly door: Doorkeeper;
  readonly retry: RetryPolicy;
  readonly times: ConnectionTimes;
  /** The door says that there are too many topics on one connection: find it another. */
  crowded(watching: Watching, channel: Channel): void;
}

/** The next token is asked for so long before the last one ends. */
const renewalMarginMs = 60_000;
/** setTimeout takes no more. */
const timerMaxMs = 2_147_483_647;

/** The sockets that follow each other for as long as somebody watches one of the topics that share them. */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #topics: Topics;
  #connection: Connection | undefined;
  #pass: Pass | undefined;
  #wasLetIn = false;
  #knocks = 0;
  #running = false;
  #rest = new AbortController();
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#topics = new Topics({
      send: (message) => this.#connection?.send(message),
      crowded: (watching) => {
        options.crowded(watching, this);
        this.#restIfIdle();
      },
      againMs: options.retry.delayMs,
    });
  }

  /** False: this topic is watched here already, or the door takes no more topics on this connection. */
  add(watching: Watching): boolean {
    if (!this.#topics.add(watching)) return false;
    if (!this.#running) void this.#run();
    return true;
  }

  /** There is room for more of this topic. */
  wanted(watching: Watching): void {
    this.#topics.wanted(watching);
  }

  remove(watching: Watching): void {
    this.#topics.remove(watching);
    this.#restIfIdle();
  }

  /** What is watched by nobody keeps no socket open, and no process running. */
  #restIfIdle(): void {
    if (!this.#topics.isIdle()) return;
    this.#connection?.close();
    this.#rest.abort();
  }

  async #run(): Promise<void> {
    this.#running = true;
    const { retry } = this.#options;
    for (let failures = 0; !this.#topics.isIdle();) {
      this.#rest = new AbortController();
      const restMs = await this.#connected().catch((error: unknown) => this.#trouble(error));
      failures = restMs === undefined ? failures + 1 : 1;
      // However well it went: clients that lost one server together must not come back together.
      const waitMs = Math.max(restMs ?? 0, backoffMs(failures, retry));
      if (!this.#topics.isIdle()) await sleep(waitMs, this.#rest.signal).catch(() => undefined);
    }
    this.#running = false;
  }

  /**
   * One connection, from its opening to its end.
   *
   * @returns the least time to wait before the next; undefined when it was not let in
   */
  async #connected(): Promise<number | undefined> {
    const { url, door, times } = this.#options;
    const pass = await door.pass();
    if (this.#topics.isIdle()) return 0;
    this.#pass = pass;
    const connection = new Connection(url, pass, (message) => this.#received(message), times);
    this.#connection = connection;
    const { letIn, code, reason } = await connection.ended;
    this.#connection = undefined;
    clearTimeout(this.#renewal);
    this.#topics.disconnected();
    if (this.#topics.isIdle()) return 0;
    switch (code) {
      case closeCodes.messageTooBig:
      case closeCodes.badMessages:
        throw new KoraFault('StreamRefused', `the stream door closed with ${code}: ${reason}`);
      case closeCodes.internal:
      case closeCodes.tooManyMessages:
        return this.#options.retry.delayMsMax;
      case closeCodes.tokenExpired:
      case closeCodes.tokenRevoked:
        await door.turnedAway();
        return 0;
      default:
        if (letIn) return 0;
        await door.turnedAway();
        this.#knock();
        return undefined;
    }
  }

  /** Who was let in once comes back for ever. Who never was, though Kora is there and knows them, is at the wrong door. */
  #knock(): void {
    this.#knocks += 1;
    if (this.#wasLetIn || this.#knocks < this.#options.retry.attemptsMax) return;
    this.#knocks = 0;
    throw new KoraFault(
      'StreamRefused',
      'the stream door lets nobody in: a wrong streamUrl, an origin that is not allowed, or a token without stream:read',
    );
  }

  /** Before the token of the open socket ends, the socket is given the next one: nothing is interrupted. */
  #renewBefore(tokenExpiresAt: string): void {
    const leftMs = Date.parse(tokenExpiresAt) - Date.now();
    const marginMs = Math.min(leftMs / 2, renewalMarginMs);
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#renew(marginMs), Math.min(leftMs - marginMs, timerMaxMs));
  }

  async #renew(leftMs: number): Promise<void> {
    const connection = this.#connection;
    // Where none can be had now the token ends, the door says so, and that is seen to then.
    const next = await this.#options.door.pass(leftMs + renewalMarginMs / 2).catch(() => undefined);
    if (connection === undefined || connection !== this.#connection || next === undefined) return;
    if (next.token === this.#pass?.token) return;
    this.#pass = next;
    connection.send({ token: next.token });
  }

  /** Nobody answers: that passes. Everything else does not, and the watchers are told. */
  #trouble(error: unknown): undefined {
    if (error instanceof KoraFault && error.code !== 'StreamRefused') return undefined;
    this.#topics.fail(error instanceof Error ? error : new KoraFault('StreamRefused', String(error)));
    return undefined;
  }

  #received(message: ServerMessage): void {
    if (message.hello !== undefined) {
      this.#wasLetIn = true;
      this.#renewBefore(message.hello.tokenExpiresAt);
      this.#topics.connected();
    }
    if (message.refreshed !== undefined) this.#renewBefore(message.refreshed.tokenExpiresAt);
    this.#topics.received(message);
  }
}
