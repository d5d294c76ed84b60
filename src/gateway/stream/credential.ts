import type { Authenticator, AuthVerdict, Principal } from '../principal.ts';
import { closeCodes, type CloseCode } from './protocol.ts';
import type { StreamTiming } from './timing.ts';

export interface CredentialOptions {
  readonly authenticator: Authenticator;
  readonly principal: Principal;
  readonly token: string;
  readonly device: string | undefined;
  readonly recheckMs: number;
  readonly timing: StreamTiming;
  /** The same principal may do something else than before: it has other roles or scopes. */
  readonly changed: () => void;
  /** The connection must go. Called once at most. */
  readonly over: (code: CloseCode) => void;
  /** A token could not be looked at. It counts on until it ends by itself, or can be looked at. */
  readonly failed: (error: unknown) => void;
}

/** Why a new token was not taken. `Unavailable`: it could not be looked at, and may be sent again. */
export interface NotTaken {
  readonly code: 'BadToken' | 'Unavailable';
  readonly message: string;
}

/** setTimeout takes no more. */
const timerMaxMs = 2_147_483_647;

/** The token of an open connection: looked at again and again, replaced by a newer one, and at its end the connection's. */
export class Credential {
  readonly #options: CredentialOptions;
  #principal: Principal;
  #token: string;
  #callOff: (() => void) | undefined;
  /** New tokens that are being looked at. */
  #refreshing = 0;
  #over = false;

  constructor(options: CredentialOptions) {
    this.#options = options;
    this.#principal = options.principal;
    this.#token = options.token;
    this.#schedule();
  }

  get principal(): Principal {
    return this.#principal;
  }

  /**
   * Replaces the token. One that is sent in time counts, however long it takes to look at it.
   *
   * @returns what is wrong with it; undefined when it is in place
   */
  async refresh(token: string): Promise<NotTaken | undefined> {
    this.#refreshing += 1;
    const verdict = await this.#verify(token);
    this.#refreshing -= 1;
    if (this.#over) return undefined;
    const wrong = this.#wrongWith(verdict);
    if (wrong === undefined && verdict?.ok === true) this.#accept(token, verdict.principal);
    // The old one may have ended meanwhile, with this one still to be looked at.
    if (this.#refreshing === 0 && this.#ended()) this.#end(closeCodes.tokenExpired);
    return wrong;
  }

  /** The connection is closed: nothing is looked at any more. */
  close(): void {
    this.#over = true;
    this.#callOff?.();
  }

  #wrongWith(verdict: AuthVerdict | undefined): NotTaken | undefined {
    if (verdict === undefined) return { code: 'Unavailable', message: 'the token could not be checked: send it again' };
    if (!verdict.ok) return { code: 'BadToken', message: verdict.message };
    const { tenant, principal } = verdict.principal;
    if (tenant === this.#principal.tenant && principal === this.#principal.principal) return undefined;
    return { code: 'BadToken', message: 'the new token is of another principal: use another connection' };
  }

  #accept(token: string, principal: Principal): void {
    const before = this.#principal;
    this.#token = token;
    this.#principal = principal;
    this.#schedule();
    if (rightsOf(before) !== rightsOf(principal)) this.#options.changed();
  }

  #schedule(): void {
    this.#callOff?.();
    const { recheckMs, timing } = this.#options;
    const leftMs = Math.max(0, this.#principal.expiresAtMs - timing.now());
    this.#callOff = timing.after(Math.min(leftMs, recheckMs, timerMaxMs), () => void this.#recheck());
  }

  async #recheck(): Promise<void> {
    if (this.#ended()) {
      if (this.#refreshing === 0) this.#end(closeCodes.tokenExpired);
      return;
    }
    const token = this.#token;
    const verdict = await this.#verify(token);
    // What was said of a token that has been replaced meanwhile does not matter.
    if (this.#over || token !== this.#token) return;
    if (verdict === undefined) this.#schedule();
    else if (verdict.ok) this.#accept(token, verdict.principal);
    else if (verdict.reason !== 'expired') this.#end(closeCodes.tokenRevoked);
    else if (this.#refreshing === 0) this.#end(closeCodes.tokenExpired);
  }

  async #verify(token: string): Promise<AuthVerdict | undefined> {
    try {
      return await this.#options.authenticator.verify(token, this.#options.device);
    } catch (error) {
      this.#options.failed(error);
      return undefined;
    }
  }

  #ended(): boolean {
    return this.#options.timing.now() >= this.#principal.expiresAtMs;
  }

  #end(code: CloseCode): void {
    if (this.#over) return;
    this.close();
    this.#options.over(code);
  }
}

function rightsOf({ roles, scopes }: Principal): string {
  return JSON.stringify([[...roles].sort(), scopes === undefined ? null : [...scopes].sort()]);
}
