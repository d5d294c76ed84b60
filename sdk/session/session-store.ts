/** A user who is logged in on this device. Holds tokens: keep it as a secret. */
export interface StoredSession {
  readonly userId: string;
  readonly sessionId: string;
  /** The device that the tokens are bound to. */
  readonly deviceId: string;
  readonly roles: readonly string[];
  readonly accessToken: string;
  /** When the access token ends, ISO 8601, by Kora's clock. */
  readonly accessExpiresAt: string;
  /** When it came, in milliseconds since 1970 by this device's clock. */
  readonly receivedAt: number;
  /** How far Kora's clock is ahead of this device's, in milliseconds. */
  readonly clockOffsetMs: number;
  readonly refreshToken: string;
}

/** Where a session is kept. It must be on the device only, and may be shared by the tabs of a browser. */
export interface SessionStore {
  load(): StoredSession | undefined | Promise<StoredSession | undefined>;
  /** Undefined: there is none any more. Must be durable when it resolves: a refresh token is good once. */
  save(session: StoredSession | undefined): void | Promise<void>;
}

/** Keeps the session as long as the process or the page lives. */
export function memoryStore(session?: StoredSession): SessionStore {
  let kept = session;
  return {
    load: () => kept,
    save(next) {
      kept = next;
    },
  };
}

/** What is used of `localStorage` and `sessionStorage`. */
export interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * Keeps the session in a browser's storage: `webStore(localStorage)` over restarts and for all tabs. Scripts of the page can
 * read it; they can do nothing with it on another device, because the tokens are bound to this one.
 */
export function webStore(storage: WebStorage, key = 'kora.session'): SessionStore {
  return {
    load() {
      try {
        return (JSON.parse(storage.getItem(key) ?? 'null') as StoredSession | null) ?? undefined;
      } catch {
        // Somebody else's, or half of it: nobody is logged in.
        return undefined;
      }
    },
    save(session) {
      if (session === undefined) storage.removeItem(key);
      else storage.setItem(key, JSON.stringify(session));
    },
  };
}
