import { AccountCalls } from './accounts.ts';
import { KoraRefusal } from './answer.ts';
import type {
  Account,
  AccountEvent,
  Connector,
  ConnectorEvent,
  Payment,
  PaymentEvent,
  Payout,
  PayoutEvent,
} from './api.ts';
import { Calls, type CallsOptions } from './calls/calls.ts';
import { defaultRetryPolicy, type RetryPolicy } from './calls/retry.ts';
import { ConnectorCalls } from './connectors.ts';
import { KoraFault } from './fault.ts';
import { IdentityCalls, sessionOf } from './identity.ts';
import { PaymentCalls } from './payments.ts';
import { PayoutCalls } from './payouts.ts';
import { type Credentials, serviceCredentials, type ServiceToken } from './session/credentials.ts';
import { createDevice, type Device } from './session/device.ts';
import { memoryStore, type SessionStore } from './session/session-store.ts';
import { UserCredentials } from './session/user-credentials.ts';
import type { Doorkeeper } from './stream/channel.ts';
import { Streams, type WatchOptions } from './stream/streams.ts';
import type { Watch } from './stream/watching.ts';
import { WebhookCalls } from './webhooks.ts';

export interface KoraOptions {
  /** The http door: `https://api.example.com`. */
  readonly baseUrl: string;
  /** The stream door: `wss://stream.example.com/stream`. Only needed to watch. */
  readonly streamUrl?: string;
  /** A service's token, or a function that gives one. With it the client speaks for the service; without it, for users. */
  readonly token?: ServiceToken;
  /** The user's device: `deviceOfThisBrowser()`, `deviceFromJwk(…)`. Default: one is made, and lives as long as the client. */
  readonly device?: Device | Promise<Device>;
  /** Where the user's session is kept. Default: in memory, until the process or the page ends. */
  readonly sessionStore?: SessionStore;
  /** How long a try may take. Default 10,000. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
}

/** Whoever refreshes must hear the answer: a second try with the same token ends the session. */
const refreshMs = 60_000;

/** A client of Kora, for one user or one service. It keeps nothing open that is not used, and needs no closing. */
export class Kora {
  /** Log-in and sessions of users. */
  readonly identity: IdentityCalls;
  readonly accounts: AccountCalls;
  readonly payments: PaymentCalls;
  /** For services and admins: events told to a URL. */
  readonly webhooks: WebhookCalls;
  /** For services. */
  readonly payouts: PayoutCalls;
  /** For operators. */
  readonly connectors: ConnectorCalls;
  readonly #credentials: Credentials;
  readonly #calls: Calls;
  readonly #streams: Streams | undefined;

  constructor(options: KoraOptions) {
    const { streamUrl, token, timeoutMs = 10_000, sessionStore: store = memoryStore() } = options;
    const retry = { ...defaultRetryPolicy, ...options.retry };
    const common = { baseUrl: options.baseUrl.replace(/\/+$/, ''), retry, timeoutMs };
    let device: Promise<Device> | undefined;
    const users = usersOf(common, () => (device ??= Promise.resolve(options.device ?? createDevice())), store);
    this.#credentials = token === undefined ? users : serviceCredentials(token);
    this.#calls = new Calls({ ...common, credentials: this.#credentials });
    this.identity = new IdentityCalls(this.#calls, users);
    this.accounts = new AccountCalls(this.#calls);
    this.payments = new PaymentCalls(this.#calls);
    this.webhooks = new WebhookCalls(this.#calls);
    this.payouts = new PayoutCalls(this.#calls);
    this.connectors = new ConnectorCalls(this.#calls);
    this.#streams = streamUrl === undefined ? undefined : new Streams({ url: streamUrl, retry, door: this.#door() });
  }

  /**
   * Watches a payment, an account, a payout, a connector, or all payments: what it is now, then everything that happens to it, once each and in
   * order. Connections that break, restarts of Kora and new tokens are seen to, and not seen. Ends with `break`, with the
   * signal, or with an error that asking again does not mend (`WatchRefusal`, `KoraRefusal` when the session has ended).
   *
   * Each thing that is told has its `position`: stored with what you made of it, and given as `after`, it goes on from there
   * in another process.
   */
  watch(topic: `payment/${string}`, options?: WatchOptions): Watch<Payment, PaymentEvent>;
  watch(topic: `account/${string}`, options?: WatchOptions): Watch<Account, AccountEvent>;
  watch(topic: `payout/${string}`, options?: WatchOptions): Watch<Payout, PayoutEvent>;
  watch(topic: `connector/${string}`, options?: WatchOptions): Watch<Connector, ConnectorEvent>;
  watch(topic: 'payments', options?: WatchOptions): Watch<never, PaymentEvent>;
  watch(topic: string, options?: WatchOptions): Watch<unknown, unknown> {
    if (this.#streams === undefined) throw new TypeError('watching needs a streamUrl');
    return this.#streams.watch(topic, options);
  }

  #door(): Doorkeeper {
    return {
      pass: async (leftMs) => {
        const [token, device] = [await this.#credentials.token(leftMs), await this.#credentials.device()];
        // Nobody is logged in: let the http door say so in its own words.
        if (token === undefined) {
          await this.#whoAmI();
          throw new KoraFault('Unreachable', 'logged in just now');
        }
        return { token, deviceId: device?.id };
      },
      turnedAway: () => this.#whoAmI(),
    };
  }

  /** The http door says what the stream door cannot tell a browser. Renews the token, where that is all it takes. */
  async #whoAmI(): Promise<void> {
    const answer = await this.#calls.answer('me', {});
    if (!answer.ok && answer.refusal.code === 'Unauthenticated') throw new KoraRefusal(answer.refusal);
  }
}

function usersOf(
  common: Omit<CallsOptions, 'credentials'>,
  device: () => Promise<Device>,
  store: SessionStore,
): UserCredentials {
  const nobody: Credentials = {
    token: () => Promise.resolve(undefined),
    instead: () => Promise.resolve(undefined),
    now: () => Promise.resolve(new Date()),
    device,
  };
  const calls = new Calls({ ...common, credentials: nobody, timeoutMs: Math.max(common.timeoutMs, refreshMs) });
  return new UserCredentials({
    device,
    store,
    async refresh({ refreshToken }) {
      // Where the answer is lost there is nothing to lose any more: without it the session is over, unless this works.
      const manner = { again: 'freely', as: 'nobody' } as const;
      const answer = await calls.answer('refresh', { body: { refreshToken } }, {}, manner);
      return answer.ok ? { ok: true, value: sessionOf(answer.value, await device()) } : answer;
    },
  });
}
