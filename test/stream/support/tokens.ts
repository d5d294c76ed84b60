import type { Authenticator, AuthVerdict, Principal, Role } from '../../../src/gateway/principal.ts';

const hourMs = 3_600_000;

export interface TokenOf {
  readonly principal?: string;
  readonly tenant?: string;
  readonly roles?: readonly Role[];
  readonly scopes?: readonly string[] | undefined;
  readonly deviceId?: string;
  readonly expiresAtMs?: number;
}

/** An authenticator whose tokens the test makes, ends and changes. It knows `good`, of a service, from the beginning. */
export class KnownTokens implements Authenticator {
  readonly #known = new Map<string, Principal>();
  readonly #ended = new Set<string>();
  /** It cannot be told now. */
  failing = false;
  /** Resolves before anything is answered. */
  held: Promise<void> | undefined;
  asked = 0;

  constructor() {
    this.service('good');
  }

  /** Makes a service's token, or changes what it stands for. */
  service(token: string, of: TokenOf = {}): string {
    const scopes = 'scopes' in of ? of.scopes : undefined;
    return this.#know(token, { principal: 'service:test', roles: ['service'], ...of }, scopes);
  }

  /** Makes the token of a person, a customer if nothing else is said, or changes what it stands for. */
  user(token: string, id: string, of: TokenOf = {}): string {
    return this.#know(token, { principal: `user:${id}`, roles: ['customer'], ...of }, []);
  }

  /** Ends its session. */
  end(token: string): void {
    this.#ended.add(token);
  }

  async verify(token: string | undefined, deviceId?: string): Promise<AuthVerdict> {
    this.asked += 1;
    await this.held;
    if (this.failing) throw new Error('the database does not answer');
    if (token === undefined) return { ok: false, reason: 'missing', message: 'no token' };
    const principal = this.#known.get(token);
    if (principal === undefined) return { ok: false, reason: 'invalid', message: 'no token that is known here' };
    if (this.#ended.has(token)) return { ok: false, reason: 'ended', message: 'its session was ended' };
    if (principal.expiresAtMs <= Date.now()) return { ok: false, reason: 'expired', message: 'it has expired' };
    if (principal.deviceId !== undefined && principal.deviceId !== deviceId) {
      return { ok: false, reason: 'wrong-device', message: 'it is bound to another device' };
    }
    return { ok: true, principal };
  }

  #know(token: string, of: TokenOf, scopes: readonly string[] | undefined): string {
    const { principal = '', tenant = 'test', roles = [], deviceId, expiresAtMs = Date.now() + hourMs } = of;
    const known = { tenant, principal, roles, scopes, expiresAtMs };
    this.#known.set(token, deviceId === undefined ? known : { ...known, deviceId });
    return token;
  }
}
