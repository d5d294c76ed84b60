import type { Breakers } from '../../../src/actors/breakers.ts';
import type {
  Candidate,
  Connectors,
  ConnectorTerms,
  SendAnswer,
  StatusAnswer,
  Told,
  Wanted,
} from '../../../src/actors/dispatcher/ports.ts';
import type { Word } from '../model/providers.ts';
import type { Written } from '../model/words.ts';
import { connectorOf, type ProvidersPlan } from './provider-plan.ts';
import type { Random } from './random.ts';
import type { Arrived, SimulatedProviders } from './simulated-providers.ts';
import type { Owner, Simulator } from './simulator.ts';
import type { Weather } from './weather.ts';

export interface ConnectorsOptions {
  readonly simulator: Simulator;
  readonly owner: Owner;
  readonly random: Random;
  readonly plan: ProvidersPlan;
  readonly providers: SimulatedProviders;
  readonly weather: () => Weather;
  /** By the process's own clock. */
  readonly now: () => number;
  /** The first byte of a request is written. */
  readonly written: (written: Written) => void;
  /** Here a process dies, if it does: with an intent that is not sent yet, or sent and not recorded. */
  readonly mayDie: () => void;
  /** A word of a provider reaches this process. */
  readonly heard: (paymentId: string, connector: string, word: Word) => void;
}

/** The connectors of one process, over a network to providers; the breakers are the product's. */
export class SimulatedConnectors implements Connectors {
  readonly #options: ConnectorsOptions;
  #breakers: Breakers | undefined;

  constructor(options: ConnectorsOptions) {
    this.#options = options;
  }

  /** To be called before anything is asked: breakers want a runtime. */
  guardedBy(breakers: Breakers): void {
    this.#breakers = breakers;
  }

  serves(profile: string): boolean {
    return profile in this.#options.plan.routes;
  }

  select({ profile, amount, except }: Wanted): Candidate | 'none' | 'none now' {
    const { plan } = this.#options;
    const fitting = (plan.routes[profile] ?? [])
      .filter((id) => !except.has(id))
      .map((id) => connectorOf(plan, id))
      .filter((one) => one !== undefined)
      .filter((one) => amount <= (plan.bounds[one.provider]?.max ?? amount));
    if (fitting.length === 0) return 'none';
    const found = fitting.find(({ id }) => this.admits(id));
    return found === undefined ? 'none now' : { id: found.id, profile: found.provider };
  }

  admits(connectorId: string): boolean {
    return this.#breakers?.admits(connectorId) === true;
  }

  terms(connectorId: string): ConnectorTerms | undefined {
    return connectorOf(this.#options.plan, connectorId)?.terms;
  }

  async send(connectorId: string, told: Told): Promise<SendAnswer> {
    const { simulator, owner, random, providers, weather, now, heard, written } = this.#options;
    if (this.#breakers?.admit(connectorId) !== true) return notSent('its breaker is open');
    const { requestTimeoutMs = 0, sendWithinMs = 0 } = this.terms(connectorId) ?? {};
    const { sendSlow, providerLost, providerLate, answerLost } = weather();
    this.#options.mayDie();
    // It waits for a place in the pool, for a name, for a connection.
    const beforeMs = random.chance(sendSlow) ? random.between(0, 2 * sendWithinMs) : random.between(0.1, 5);
    await simulator.sleep(beforeMs, owner);
    if (now() >= Date.parse(told.sendBefore)) {
      this.#breakers.released(connectorId);
      return notSent('its time to be sent has gone by');
    }
    if (providers.isDown(connectorId) && random.chance(0.5)) {
      this.#breakers.failed(connectorId, 'connection refused');
      return notSent('connection refused');
    }
    written({ paymentId: told.id, connector: connectorId, sendBefore: told.sendBefore, at: now() });
    const answer = await new Promise<SendAnswer>((resolve) => {
      const arrived = (said: Arrived): void => {
        if (random.chance(answerLost)) return;
        const come = (): void => resolve(said === 'error' ? { outcome: 'unknown', reason: 'HTTP 500' } : said);
        simulator.after(this.#wayMs(), come, owner);
      };
      providers.sent(connectorId, told, this.#wayTo(connectorId, providerLost, providerLate), arrived);
      this.#options.mayDie();
      simulator.after(requestTimeoutMs, () => resolve({ outcome: 'unknown', reason: 'no answer in time' }), owner);
    });
    if (answer.outcome === 'unknown') this.#breakers.failed(connectorId, answer.reason);
    else this.#breakers.succeeded(connectorId);
    heard(told.id, connectorId, wordOfAnswer(answer));
    return answer;
  }

  async status(connectorId: string, reference: string, paymentId: string): Promise<StatusAnswer> {
    const { simulator, owner, random, providers, weather, heard } = this.#options;
    await simulator.sleep(this.#wayMs(), owner);
    const answer = providers.status(connectorId, reference);
    await simulator.sleep(this.#wayMs(), owner);
    if (random.chance(weather().answerLost) || answer.status === 'unknown') {
      this.#breakers?.failed(connectorId, 'no answer');
      return { status: 'unknown', reason: 'no answer in time' };
    }
    heard(paymentId, connectorId, wordOfStatus(answer));
    return answer;
  }

  /** Asks those that are not trusted now whether they are well again. */
  async lookAfter(): Promise<void> {
    const { simulator, owner, plan, providers } = this.#options;
    for (const { id } of plan.connectors) {
      if (this.#breakers === undefined || this.#breakers.state(id) === 'CLOSED' || !this.#breakers.admit(id)) continue;
      await simulator.sleep(2 * this.#wayMs(), owner);
      if (providers.isDown(id)) this.#breakers.failed(id, 'not well');
      else this.#breakers.succeeded(id);
    }
  }

  /** Undefined: it never comes. Late: when nobody waits for it any more, but before "not found" is final. */
  #wayTo(connectorId: string, lost: number, late: number): number | undefined {
    const { random } = this.#options;
    if (random.chance(lost)) return undefined;
    if (!random.chance(late)) return this.#wayMs();
    const { requestTimeoutMs = 0, notFoundFinalAfterMs = 0 } = this.terms(connectorId) ?? {};
    return requestTimeoutMs + random.next() * notFoundFinalAfterMs;
  }

  #wayMs(): number {
    const { random, weather } = this.#options;
    return random.chance(weather().providerSlow) ? random.between(50, 800) : random.between(1, 30);
  }
}

const notSent = (reason: string): SendAnswer => ({ outcome: 'not_sent', reason });

/** What an answer says, in the model's own terms. */
function wordOfAnswer(answer: SendAnswer): Word {
  switch (answer.outcome) {
    case 'accepted': {
      const { providerRef: ref, providerFee } = answer;
      return answer.status === 'pending'
        ? { said: 'accepted', ref }
        : { said: 'confirmed', ref, fee: feeOf(providerFee) };
    }
    case 'refused':
      return { said: 'refused', code: answer.code, elsewhere: answer.elsewhere };
    case 'unknown':
      return { said: 'unknown' };
    case 'not_sent':
      return { said: 'not sent' };
  }
}

function wordOfStatus(answer: StatusAnswer): Word {
  switch (answer.status) {
    case 'pending':
      return { said: 'accepted', ref: answer.providerRef };
    case 'confirmed':
    case 'settled':
      return { said: answer.status, ref: answer.providerRef, fee: feeOf(answer.providerFee) };
    case 'refused':
      return { said: 'refused', code: answer.code, elsewhere: answer.elsewhere };
    case 'not_found':
    case 'unknown':
      return { said: 'unknown' };
  }
}

const feeOf = (text: string | undefined): bigint | undefined => (text === undefined ? undefined : BigInt(text));
