import { backoffMs, sleep, type RetryPolicy } from '../calls/retry.ts';
import { KoraFault } from '../fault.ts';
import { Connection, type ConnectionTimes, type Pass } from './connection.ts';
import { closeCodes, type ServerMessage, type TopicError } from './protocol.ts';
import { WatchRefusal } from './watch-refusal.ts';
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

/** A topic on the socket: `leaving` is between the asking and the answer, and whatever comes then is not taken. */
interface Place {
  watching: Watching | undefined;
  wire: 'off' | 'on' | 'leaving';
}

/** Topics that share a socket, and the sockets that follow each other for as long as somebody watches. */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #places = new Map<string, Place>();
  #connection: Connection | undefined;
  #pass: Pass | undefined;
  #watched = 0;
  #letIn = false;
  #wasLetIn = false;
  #knocks = 0;
  #running = false;
  #full = false;
  #rest = new AbortController();
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** False: this topic is watched here already, or the door takes no more topics on this connection. */
  add(watching: Watching): boolean {
    const place = this.#places.get(watching.topic);
    if (place?.watching !== undefined || (place === undefined && this.#full)) return false;
    if (place === undefined) this.#places.set(watching.topic, { watching, wire: 'off' });
    else place.watching = watching;
    this.#watched += 1;
    this.wanted(watching);
    if (!this.#running) void this.#run();
    return true;
  }

  /** There is room for more of this topic: it is subscribed to, unless it is. */
  wanted({ topic }: Watching): void {
    const place = this.#places.get(topic);
    if (place?.watching === undefined || place.wire !== 'off' || place.watching.full || !this.#letIn) return;
    const { position } = place.watching;
    place.wire = 'on';
    this.#connection?.send({ subscribe: { topic, ...(position !== undefined && { after: position }) } });
  }

  remove(watching: Watching): void {
    const place = this.#places.get(watching.topic);
    if (place?.watching !== watching) return;
    place.watching = undefined;
    this.#watched -= 1;
    if (place.wire === 'off') this.#places.delete(watching.topic);
    else this.#leave(watching.topic, place);
    this.#full = false;
    // What is watched by nobody keeps no socket open, and no process running.
    if (this.#isIdle()) {
      this.#connection?.close();
      this.#rest.abort();
    }
  }

  #isIdle(): boolean {
    return this.#watched === 0;
  }

  #leave(topic: string, place: Place): void {
    if (place.wire !== 'on') return;
    place.wire = 'leaving';
    this.#connection?.send({ unsubscribe: { topic } });
  }

  async #run(): Promise<void> {
    this.#running = true;
    const { retry } = this.#options;
    for (let failures = 0; !this.#isIdle();) {
      this.#rest = new AbortController();
      const restMs = await this.#connected().catch((error: unknown) => this.#trouble(error));
      failures = restMs === undefined ? failures + 1 : 1;
      // However well it went: clients that lost one server together must not come back together.
      const waitMs = Math.max(restMs ?? 0, backoffMs(failures, retry));
      if (!this.#isIdle()) await sleep(waitMs, this.#rest.signal).catch(() => undefined);
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
    if (this.#isIdle()) return 0;
    this.#pass = pass;
    const connection = new Connection(url, pass, (message) => this.#received(message), times);
    this.#connection = connection;
    const { letIn, code, reason } = await connection.ended;
    this.#disconnected();
    if (this.#isIdle()) return 0;
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

  #disconnected(): void {
    this.#connection = undefined;
    this.#letIn = false;
    clearTimeout(this.#renewal);
    for (const [topic, place] of this.#places) {
      place.wire = 'off';
      if (place.watching === undefined) this.#places.delete(topic);
    }
  }

  /** Nobody answers: that passes. Everything else does not, and the watchers are told. */
  #trouble(error: unknown): undefined {
    if (error instanceof KoraFault && error.code !== 'StreamRefused') return undefined;
    const told = error instanceof Error ? error : new KoraFault('StreamRefused', String(error));
    for (const { watching } of [...this.#places.values()]) watching?.fail(told);
    return undefined;
  }

  #received(message: ServerMessage): void {
    if (message.hello !== undefined) {
      this.#letIn = true;
      this.#wasLetIn = true;
      this.#renewBefore(message.hello.tokenExpiresAt);
      for (const { watching } of this.#places.values()) if (watching !== undefined) this.wanted(watching);
    }
    const { snapshot, live, unit, unsubscribed, refreshed, error } = message;
    if (snapshot !== undefined)
      this.#take(snapshot.topic, (watching) => watching.take({ type: 'snapshot', ...snapshot }));
    if (live !== undefined) this.#take(live.topic, (watching) => watching.take({ type: 'live', ...live }));
    if (unit !== undefined) this.#take(unit.topic, (watching) => watching.take({ type: 'unit', ...unit }));
    if (unsubscribed !== undefined) this.#left(unsubscribed.topic);
    if (refreshed !== undefined) this.#renewBefore(refreshed.tokenExpiresAt);
    if (error !== undefined) this.#refused(error);
  }

  #take(topic: string, told: (watching: Watching) => void): void {
    const place = this.#places.get(topic);
    if (place?.watching === undefined || place.wire !== 'on') return;
    told(place.watching);
    if (place.watching.full) this.#leave(topic, place);
  }

  #left(topic: string): void {
    const place = this.#places.get(topic);
    if (place === undefined) return;
    place.wire = 'off';
    if (place.watching === undefined) this.#places.delete(topic);
    else this.wanted(place.watching);
  }

  #refused({ topic = '', code, message }: TopicError): void {
    const place = this.#places.get(topic);
    if (place === undefined) return;
    // The door came to the end of it by itself while it was being asked for that: what it says of it then does not matter.
    if (place.wire === 'leaving' || code === 'NotSubscribed') {
      if (place.wire === 'leaving' && code === 'NotSubscribed') this.#left(topic);
      return;
    }
    place.wire = 'off';
    const { watching } = place;
    if (watching === undefined) return;
    switch (code) {
      case 'Unavailable':
        void sleep(this.#options.retry.delayMs).then(() => this.wanted(watching));
        return;
      case 'TooManySubscriptions':
        if (this.#places.size === 1) break;
        this.#places.delete(topic);
        this.#watched -= 1;
        this.#full = true;
        this.#options.crowded(watching, this);
        return;
    }
    watching.fail(new WatchRefusal(topic, code, message));
  }
}
