import type { Caller, KoraRequest } from '../../actors/requests.ts';
import type { Outcome, Runtime } from '../../actors/runtime.ts';
import { commandIdOf } from '../../kernel/ids.ts';
import { RecentMap } from '../../kernel/recent-map.ts';
import type { Tracing } from '../../platform/tracing/span.ts';
import type { ServiceKey } from '../service-key.ts';
import { PeerClient } from './peer-client.ts';
import type { PeerTls } from './peer-door.ts';
import { peerTokens } from './peer-token.ts';
import type { ForwardedAnswer } from './wire.ts';

export interface ForwarderOptions {
  readonly runtime: Pick<Runtime, 'execute' | 'partyOf' | 'wroteElsewhere'>;
  /** Where keys are best placed. */
  readonly placement: {
    /** Another process; undefined: here. */
    ownerOf(key: string): { readonly id: string; readonly address: string } | undefined;
    suspect(id: string): void;
  };
  readonly memberId: string;
  readonly key: ServiceKey;
  readonly tls?: PeerTls;
  /** Default: nobody traces. */
  readonly tracing?: Pick<Tracing, 'traceparent'>;
  readonly log: { warn(details: object, message: string): void };
}

const RECENT_MAX = 20_000;

/**
 * Hands commands to the process that is preferred for the account that they debit, so that one wallet is decided on in one
 * place, as fast as on one process. It is a matter of speed alone: where that process does not answer, or has too much to
 * do, the command is carried out here, under the same id. If both do it, the log takes one of them and the other one finds
 * that it is done.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #token: () => Promise<string>;
  readonly #clients = new Map<string, PeerClient>();
  /** Payments that came through here lately, and their keys: steps go where the payment went. */
  readonly #recent = new RecentMap<string, string>(RECENT_MAX);

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#token = peerTokens(options.key, options.memberId);
  }

  /** As `Runtime.execute`. */
  execute(request: KoraRequest, caller: Caller): Promise<Outcome> {
    const owner = this.#options.placement.ownerOf(this.#keyOf(request, caller));
    return owner === undefined ? this.#options.runtime.execute(request, caller) : this.#forward(owner, request, caller);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  async #forward(
    owner: { readonly id: string; readonly address: string },
    request: KoraRequest,
    caller: Caller,
  ): Promise<Outcome> {
    const { runtime, placement, log, tracing } = this.#options;
    const traceparent = tracing?.traceparent();
    let answer: ForwardedAnswer = null;
    try {
      answer = await this.#clientOf(owner.address).carryOut({
        request,
        caller,
        ...(traceparent !== undefined && { traceparent }),
      });
      if (answer !== null && !answer.ok && answer.refusal.code === 'Overloaded') {
        placement.suspect(owner.id);
        answer = null;
      }
    } catch (error) {
      if (placement.ownerOf(this.#keyOf(request, caller))?.id === owner.id) {
        log.warn({ err: error, member: owner.id, address: owner.address }, 'a process is not forwarded to for a while');
      }
      placement.suspect(owner.id);
    }
    if (answer === null) return runtime.execute(request, caller);
    // Whoever asks here next sees what was done there.
    runtime.wroteElsewhere(answer);
    return answer;
  }

  #clientOf(address: string): PeerClient {
    let client = this.#clients.get(address);
    if (client === undefined) {
      const { tls } = this.#options;
      client = new PeerClient({ address, token: this.#token, ...(tls && { tls }) });
      this.#clients.set(address, client);
    }
    return client;
  }

  #keyOf(request: KoraRequest, { tenant, principal }: Caller): string {
    switch (request.type) {
      case 'Pay': {
        const { payer, payee, original, idempotencyKey } = request;
        const id = commandIdOf(tenant, principal, idempotencyKey);
        // A refund debits the original's payee.
        const key = payer ?? (original === undefined ? payee : this.#options.runtime.partyOf(original, 'payee')) ?? id;
        this.#recent.set(id, key);
        return key;
      }
      case 'Authorize':
      case 'Capture':
      case 'Settle':
      case 'Fail':
      case 'Reverse':
      case 'Resolve': {
        const { paymentId } = request;
        return this.#recent.get(paymentId) ?? this.#options.runtime.partyOf(paymentId, 'payer') ?? paymentId;
      }
      case 'CreatePayout':
        this.#recent.set(commandIdOf(tenant, principal, request.idempotencyKey), request.payer);
        return request.payer;
      case 'CancelPayout':
        return this.#recent.get(request.payoutId) ?? request.payoutId;
      case 'OpenAccount':
      case 'FreezeAccount':
      case 'UnfreezeAccount':
      case 'CloseAccount':
      case 'SetLimit':
        return request.accountId ?? commandIdOf(tenant, principal, request.idempotencyKey);
    }
  }
}
