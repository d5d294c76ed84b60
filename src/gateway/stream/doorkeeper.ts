import type { Authenticator, AuthVerdict, Principal } from '../principal.ts';
import { clientAddress, placeOf, proxiesOf } from '../address.ts';
import { chosenProtocol, deviceOf, originAllowed, tokenOf } from './admission.ts';
import type { StreamLimits } from './limits.ts';
import { Quotas } from './quotas.ts';
import type { StreamLogger } from './stream-logger.ts';
import { mayConnect } from './topic-access.ts';
import type { Admission, ConnectRequest } from './transport.ts';

export interface DoorkeeperOptions {
  readonly authenticator: Authenticator;
  /** Of pages that may connect, in lower case. */
  readonly origins: readonly string[];
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly limits: StreamLimits;
  readonly logger: StreamLogger | undefined;
}

/** A client that may connect. */
export interface Guest {
  readonly ok: true;
  readonly protocol: string;
  readonly principal: Principal;
  readonly token: string;
  readonly device: string | undefined;
  /** Under what its address is counted. */
  readonly place: string;
  /** To be called once: it has gone, or never came. */
  leave(): void;
}
type Refused = Admission & { ok: false };

/** Decides who may connect, before anything else is done for them. */
export class Doorkeeper {
  readonly #options: DoorkeeperOptions;
  readonly #proxies;
  readonly #places: Quotas<'inAll' | 'byAddress'>;
  readonly #principals: Quotas<'byPrincipal'>;

  constructor(options: DoorkeeperOptions) {
    const { connectionsMax, connectionsPerAddressMax, connectionsPerPrincipalMax } = options.limits;
    this.#options = options;
    this.#proxies = proxiesOf(options.trustedProxies);
    this.#places = new Quotas({ inAll: connectionsMax, byAddress: connectionsPerAddressMax });
    this.#principals = new Quotas({ byPrincipal: connectionsPerPrincipalMax });
  }

  /** Does not reject. Clients whose tokens are being looked at count as connected. */
  async admit(request: ConnectRequest): Promise<Guest | Refused> {
    if (!originAllowed(request, this.#options.origins)) return foreignOrigin;
    const protocol = chosenProtocol(request);
    if (protocol === undefined) return badProtocol;
    const address = clientAddress(request.address, request.forwardedFor, this.#proxies);
    const place = { inAll: '', byAddress: placeOf(address) };
    const full = this.#places.take(place);
    if (full !== undefined) return full === 'inAll' ? overloaded : tooManyFromAddress;
    const known = await this.#identify(request);
    if (!known.ok) {
      this.#places.give(place);
      return known;
    }
    const { tenant, principal } = known.principal;
    const key = { byPrincipal: principalKey(tenant, principal) };
    if (this.#principals.take(key) !== undefined) {
      this.#places.give(place);
      return tooManyOfPrincipal;
    }
    const leave = (): void => {
      this.#places.give(place);
      this.#principals.give(key);
    };
    return { ...known, protocol, place: place.byAddress, leave };
  }

  async #identify(request: ConnectRequest): Promise<Pick<Guest, 'ok' | 'principal' | 'token' | 'device'> | Refused> {
    const [token, device] = [tokenOf(request), deviceOf(request)];
    let verdict: AuthVerdict;
    try {
      verdict = await this.#options.authenticator.verify(token, device);
    } catch (error) {
      this.#options.logger?.error({ err: error }, 'stream: a token could not be checked');
      return unavailable;
    }
    if (!verdict.ok || token === undefined) {
      return refused('401 Unauthorized', 'Unauthenticated', verdict.ok ? 'no token was sent' : verdict.message);
    }
    return mayConnect(verdict.principal) ? { ok: true, principal: verdict.principal, token, device } : noScope;
  }
}

/** Under what a principal is counted. */
export const principalKey = (tenant: string, principal: string): string => JSON.stringify([tenant, principal]);

export function refused(status: string, code: string, message: string): Refused {
  return { ok: false, status, body: { code, message } };
}

const badProtocol = refused('400 Bad Request', 'BadProtocol', 'the protocol is kora.v1');
const foreignOrigin = refused('403 Forbidden', 'ForeignOrigin', 'pages of this origin may not connect here');
const noScope = refused('403 Forbidden', 'Forbidden', 'the token does not have the scope stream:read');
const tooManyFromAddress = refused(
  '429 Too Many Requests',
  'TooManyConnections',
  'too many connections from this address',
);
const tooManyOfPrincipal = refused(
  '429 Too Many Requests',
  'TooManyConnections',
  'too many connections of this principal',
);
const overloaded = refused('503 Service Unavailable', 'Overloaded', 'too many connections: try again later');
const unavailable = refused('503 Service Unavailable', 'Unavailable', 'the token could not be checked: try again');
