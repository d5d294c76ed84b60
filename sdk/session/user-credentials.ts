import type { Answer } from '../answer.ts';
import { KoraFault } from '../fault.ts';
import type { Credentials } from './credentials.ts';
import type { Device } from './device.ts';
import { exclusively } from './exclusively.ts';
import type { SessionStore, StoredSession } from './session-store.ts';

/**
 * A token that came so lately is not renewed however soon it seems to end: the clock of this device may be wrong, and then
 * every call would want a new one. The door's own word (401) always counts.
 */
const ageMsMin = 30_000;

/** Credentials of a user: the tokens of a session, renewed before they end, by one refresh at a time. */
export class UserCredentials implements Credentials {
  readonly #store: SessionStore;
  readonly #device: () => Promise<Device>;
  readonly #refresh: (session: StoredSession) => Promise<Answer<StoredSession>>;
  #session: StoredSession | undefined;
  #loading: Promise<void> | undefined;
  #renewing: Promise<StoredSession | undefined> | undefined;

  /** @param refresh trades a refresh token for new tokens */
  constructor(options: {
    readonly store: SessionStore;
    readonly device: () => Promise<Device>;
    readonly refresh: (session: StoredSession) => Promise<Answer<StoredSession>>;
  }) {
    this.#store = options.store;
    this.#device = options.device;
    this.#refresh = options.refresh;
  }

  device(): Promise<Device> {
    return this.#device();
  }

  async now(): Promise<Date> {
    return new Date(Date.now() + ((await this.session())?.clockOffsetMs ?? 0));
  }

  /** The session, as it is now; undefined where nobody is logged in. */
  async session(): Promise<StoredSession | undefined> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    await this.#loading;
    return this.#session;
  }

  /** Somebody logged in, or nobody is any more. */
  async keep(session: StoredSession | undefined): Promise<void> {
    // What is being loaded would overwrite it.
    await this.session();
    await this.#store.save(session);
    this.#session = session;
  }

  async token(leftMs = 30_000): Promise<string | undefined> {
    const session = await this.session();
    if (session === undefined) return undefined;
    const { accessToken, accessExpiresAt, receivedAt, clockOffsetMs } = session;
    const now = Date.now();
    const endsInMs = Date.parse(accessExpiresAt) - clockOffsetMs - now;
    if (endsInMs >= leftMs || now - receivedAt < ageMsMin) return accessToken;
    return (await this.#renewed(session))?.accessToken;
  }

  async instead(refused: string, why: string): Promise<string | undefined> {
    // While the refused one was on its way another call may have had it renewed, or another tab may have logged in anew.
    await this.#load();
    const session = this.#session;
    if (session === undefined || session.accessToken !== refused) return session?.accessToken;
    if (why === 'ended') await this.keep(undefined);
    if (why === 'ended' || why === 'wrong-device') return undefined;
    return (await this.#renewed(session))?.accessToken;
  }

  /** One refresh at a time: a refresh token is good once, and using it twice ends the session. */
  #renewed({ sessionId, accessToken }: StoredSession): Promise<StoredSession | undefined> {
    this.#renewing ??= exclusively(`kora.session.${sessionId}`, () => this.#renew(accessToken)).finally(
      () => (this.#renewing = undefined),
    );
    return this.#renewing;
  }

  async #renew(refused: string): Promise<StoredSession | undefined> {
    // Another tab, or another client of this store, may have done it while we waited for our turn.
    await this.#load();
    const session = this.#session;
    if (session === undefined || session.accessToken !== refused) return session;
    // From another device the refresh token would be taken for stolen, and the session ended where it is at home.
    if (session.deviceId !== (await this.#device()).id) return session;
    const answer = await this.#refresh(session);
    if (!answer.ok && answer.refusal.code !== 'RefreshRefused') {
      // Nothing is wrong with the session: it is kept, and whoever needs it now hears that it cannot be renewed now.
      throw new KoraFault('Unreachable', `the session cannot be renewed now: ${answer.refusal.code}`);
    }
    const next = answer.ok ? answer.value : undefined;
    // Whoever logged in or out meanwhile meant it.
    await this.#load();
    if (this.#session?.accessToken !== refused) return this.#session;
    // Kept before it is used: a token that is lost cannot be asked for again.
    await this.keep(next);
    return next;
  }

  async #load(): Promise<void> {
    this.#session = await this.#store.load();
  }
}
