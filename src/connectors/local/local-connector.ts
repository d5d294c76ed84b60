import { setTimeout as sleep } from 'node:timers/promises';
import { Type, type Static } from 'typebox';
import {
  type BankConnector,
  type BankPaymentStatus,
  type BankSendResult,
  type ConnectorConfig,
  type HealthCheckResult,
  keyOf,
  NotSupportedError,
  type PayoutSlice,
} from '../bank-connector.ts';
import { choice, integer, text } from '../schema-words.ts';
import type { ConnectorGround, ConnectorKind } from '../kind.ts';
import { notSent } from '../reasons.ts';
import { LocalBank, type LocalBehaviour, statusOf } from './local-bank.ts';

const flag = (standard: boolean) => Type.Boolean({ default: standard, description: 'true or false is wanted' });

const localSettings = Type.Object(
  {
    latencyMs: integer(0, 600_000, 0),
    outcome: choice(['confirmed', 'pending', 'refused', 'unknown', 'lost', 'not_sent'], { default: 'confirmed' }),
    fee: Type.Optional(Type.String({ pattern: '^(?:0|[1-9][0-9]{0,29})$', description: 'minor units are wanted' })),
    code: text('a code is wanted', { default: 'Refused' }),
    elsewhere: flag(false),
    healthy: flag(true),
    mute: flag(false),
  },
  { additionalProperties: false },
);

/** In process, without a line to anybody: the wallet's own rail, and tests. Each connector has a bank of its own, or this one. */
export function localKind(bank?: LocalBank): ConnectorKind {
  return {
    type: 'local',
    settings: localSettings,
    secrets: [],
    capabilities: { collects: true, disburses: true, honoursKeys: true, findsByKey: true },
    create: (ground) => new LocalConnector(ground, bank ?? new LocalBank()),
  };
}

class LocalConnector implements BankConnector {
  readonly type = 'local';
  name = 'local';
  readonly #ground: ConnectorGround;
  readonly #bank: LocalBank;
  #settings: LocalBehaviour | undefined;

  constructor(ground: ConnectorGround, bank: LocalBank) {
    this.#ground = ground;
    this.#bank = bank;
  }

  async init({ id, settings }: ConnectorConfig): Promise<void> {
    this.name = id;
    this.#settings = settings as Static<typeof localSettings>;
    await Promise.resolve();
  }

  async sendPayment(slice: PayoutSlice): Promise<BankSendResult> {
    const behaviour = this.#bank.behaviour(this.#begun(), true);
    if (this.#ground.now() >= Date.parse(slice.sendBefore)) return notSent('TooLate');
    if (behaviour.outcome === 'not_sent') return notSent('ConnectFailed', 'as it is told to');
    if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs);
    switch (behaviour.outcome) {
      case 'lost':
        return { outcome: 'unknown', reason: 'Lost: as it is told to' };
      case 'unknown':
        this.#bank.take(slice, 'confirmed', behaviour);
        return { outcome: 'unknown', reason: 'Timeout: as it is told to' };
      case 'confirmed':
      case 'pending':
      case 'refused': {
        // The answer to a key that it knows is about the payment that it has.
        const { providerRef, status, fee, code, elsewhere } = this.#bank.take(slice, behaviour.outcome, behaviour);
        if (status === 'refused') return { outcome: 'refused', code, elsewhere };
        return {
          outcome: 'accepted',
          providerRef,
          status: status === 'pending' ? 'pending' : 'confirmed',
          ...(fee === undefined ? {} : { providerFee: fee }),
        };
      }
    }
  }

  async getPaymentStatus(providerRef: string): Promise<BankPaymentStatus> {
    const { mute, latencyMs } = this.#bank.behaviour(this.#begun(), false);
    if (latencyMs > 0) await sleep(latencyMs);
    if (mute) return { status: 'unknown', reason: 'Mute: as it is told to' };
    const key = keyOf(providerRef);
    const payment = this.#bank.find(key === undefined ? { providerRef } : { key });
    return payment === undefined ? { status: 'not_found' } : statusOf(payment);
  }

  uploadStatement(): Promise<never> {
    return Promise.reject(new NotSupportedError('the local rail has no statements'));
  }

  parseStatement(): Promise<never> {
    return Promise.reject(new NotSupportedError('the local rail has no statements'));
  }

  async healthcheck(): Promise<HealthCheckResult> {
    await Promise.resolve();
    return { healthy: this.#bank.behaviour(this.#begun(), false).healthy, latencyMs: 0 };
  }

  #begun(): LocalBehaviour {
    if (this.#settings === undefined) throw new Error('init comes first');
    return this.#settings;
  }
}
