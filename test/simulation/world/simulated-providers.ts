import type { SendAnswer, StatusAnswer, Told } from '../../../src/actors/dispatcher/ports.ts';
import type { Deed } from '../model/deeds.ts';
import { check } from '../model/finding.ts';
import type { Word } from '../model/providers.ts';
import { connectorOf, type ConnectorPlan, type ProvidersPlan } from './provider-plan.ts';
import type { Random } from './random.ts';
import type { Simulator } from './simulator.ts';
import type { Weather } from './weather.ts';

export interface ProvidersOptions {
  readonly simulator: Simulator;
  readonly random: Random;
  readonly plan: ProvidersPlan;
  readonly weather: () => Weather;
  /** Tells Kora, at one of its processes. Resolves with whether it was taken. */
  readonly callBack: (paymentId: string, connector: string, word: Word) => Promise<boolean>;
  readonly trace: (line: string) => void;
  readonly guard: (work: () => void) => void;
}

/** A provider answers with an error: it may have done what it was asked, or not. */
export type Arrived = SendAnswer | 'error';

/**
 * The providers: what they are told they do, sometimes, and write into books of their own. They outlive every process of
 * Kora's, are slow, refuse, change their mind, and tell by themselves what became of things, late, twice and in any order.
 */
export class SimulatedProviders {
  readonly deeds: Deed[] = [];
  readonly #options: ProvidersOptions;
  readonly #byKey = new Map<string, Deed[]>();
  readonly #byRef = new Map<string, Deed>();
  /** Requests that were written and have not come yet, by connector and key. */
  readonly #onTheirWay = new Map<string, number>();
  readonly #downUntil = new Map<string, number>();
  /** Of which the last word has not been taken by Kora. */
  readonly #untold = new Set<Deed>();
  readonly #lucks = new Map<string, Random>();
  /** What is still to happen here by itself. */
  #open = 0;

  constructor(options: ProvidersOptions) {
    this.#options = options;
  }

  get areThrough(): boolean {
    return this.#open === 0;
  }

  outage(connector: string, lengthMs: number): void {
    this.#downUntil.set(connector, this.#options.simulator.now + lengthMs);
  }

  isDown(connector: string): boolean {
    return (this.#downUntil.get(connector) ?? 0) > this.#options.simulator.now;
  }

  /** A request has left a process: it comes after `wayMs` whatever becomes of that; undefined: never. */
  sent(connector: string, told: Told, wayMs: number | undefined, arrived: (answer: Arrived) => void): void {
    if (wayMs === undefined) return;
    const name = `${connector} ${told.idempotencyKey}`;
    this.#onTheirWay.set(name, (this.#onTheirWay.get(name) ?? 0) + 1);
    this.#later(wayMs, () => {
      this.#onTheirWay.set(name, (this.#onTheirWay.get(name) ?? 1) - 1);
      if (this.isDown(connector)) arrived('error');
      else arrived(this.#take(connector, told));
    });
  }

  isOnItsWay(connector: string, key: string): boolean {
    return (this.#onTheirWay.get(`${connector} ${key}`) ?? 0) > 0;
  }

  /** What its books say. */
  status(connector: string, reference: string): StatusAnswer {
    if (this.isDown(connector)) return { status: 'unknown', reason: 'out of order' };
    const plan = connectorOf(this.#options.plan, connector);
    const isKey = reference.startsWith('key:');
    if (isKey && plan?.terms.findsByKey !== true) return { status: 'unknown', reason: 'it knows no such reference' };
    const deed = isKey ? this.#newest(connector, reference.slice('key:'.length)) : this.#byRef.get(reference);
    if (deed === undefined) return { status: 'not_found' };
    const { ref: providerRef, fee } = deed;
    switch (deed.state) {
      case 'taken':
        return { status: 'pending', providerRef };
      case 'refused':
        return { status: 'refused', providerRef, ...finalNo(deed) };
      case 'done': {
        deed.fees.add(fee);
        return { status: deed.isSettled ? 'settled' : 'confirmed', providerRef, providerFee: fee.toString() };
      }
    }
  }

  /** What somebody who looks into its books sees of a key; undefined: it is not over yet. */
  truth(connector: string, key: string): Word | undefined {
    const deed = this.#newest(connector, key);
    if (this.isOnItsWay(connector, key) || deed?.state === 'taken') return undefined;
    if (deed === undefined || deed.state === 'refused')
      return { said: 'refused', code: 'not_carried_out', elsewhere: false };
    deed.fees.add(deed.fee);
    return { said: deed.isSettled ? 'settled' : 'confirmed', ref: deed.ref, fee: deed.fee };
  }

  /** In fair weather what was lost of its words is said again. */
  quiet(): void {
    this.#downUntil.clear();
    for (const deed of this.deeds) if (this.#untold.has(deed)) this.#tellOf(deed);
  }

  #newest(connector: string, key: string): Deed | undefined {
    return this.#byKey.get(`${connector} ${key}`)?.at(-1);
  }

  #later(delayMs: number, work: () => void): void {
    this.#open += 1;
    this.#options.simulator.after(delayMs, () => {
      this.#open -= 1;
      work();
    });
  }

  /** A connector's luck with one key, so that what else happens does not change it. */
  #luckOf(connector: string, key: string): Random {
    const name = `${connector} ${key}`;
    let luck = this.#lucks.get(name);
    if (luck === undefined) this.#lucks.set(name, (luck = this.#options.random.of(name)));
    return luck;
  }

  #take(connector: string, told: Told): Arrived {
    const plan = connectorOf(this.#options.plan, connector) as ConnectorPlan;
    const { providerRefuses, providerErrs } = this.#options.weather();
    const key = told.idempotencyKey;
    const luck = this.#luckOf(connector, key);
    const before = this.#newest(connector, key);
    // A key that it honours is one deed, however often it is told.
    if (before !== undefined && plan.terms.honoursKeys) return answerOf(before);
    if (luck.chance(providerErrs)) return 'error';
    const deed = this.#begin(plan, told, luck);
    if (luck.chance(providerRefuses)) {
      deed.state = 'refused';
      if (luck.chance(0.15)) this.#contradict(plan, deed, told.operation, luck);
    } else if (luck.chance(0.4)) this.#carryOut(plan, deed, told.operation, luck);
    else this.#takeOn(plan, deed, told.operation, luck);
    if (luck.chance(providerErrs)) return 'error';
    return answerOf(deed);
  }

  #begin(plan: ConnectorPlan, told: Told, luck: Random): Deed {
    const key = told.idempotencyKey;
    const amount = BigInt(told.amount);
    const most = told.operation === 'collect' && amount < 3n ? Number(amount) : 3;
    const fee = BigInt(luck.whole(0, most));
    const ref = `r${this.deeds.length}`;
    const deed: Deed = {
      connector: plan.id,
      key,
      amount,
      ref,
      state: 'taken',
      isSettled: false,
      isContradicted: false,
      fees: new Set([fee]),
      fee,
      finalFee: undefined,
    };
    this.deeds.push(deed);
    this.#byRef.set(ref, deed);
    const name = `${plan.id} ${key}`;
    this.#byKey.set(name, [...(this.#byKey.get(name) ?? []), deed]);
    this.#options.trace(`${plan.id} takes ${told.operation} ${key} ${told.amount} as ${ref}`);
    return deed;
  }

  /** "Yes", and then it is done; or it is refused after all. */
  #takeOn(plan: ConnectorPlan, deed: Deed, operation: Told['operation'], luck: Random): void {
    const { callbackEarly } = this.#options.weather();
    if (luck.chance(callbackEarly)) this.#tellOf(deed);
    this.#later(luck.between(0.2, 1.8) * plan.doesAfterMs, () => {
      if (luck.chance(this.#options.weather().providerRefusesLater)) {
        deed.state = 'refused';
        this.#options.trace(`${plan.id} refuses ${deed.ref} after all`);
        this.#tellOf(deed);
        return;
      }
      this.#carryOut(plan, deed, operation, luck);
    });
  }

  /** After its final "no" it does it all the same. */
  #contradict(plan: ConnectorPlan, deed: Deed, operation: Told['operation'], luck: Random): void {
    this.#later(luck.between(1_000, 6_000), () => {
      deed.state = 'done';
      deed.isContradicted = true;
      this.#options.trace(`${plan.id} has done ${deed.ref}, which it had refused`);
      this.#tellOf(deed);
      if (operation === 'collect') this.#settle(plan, deed, luck);
    });
  }

  /** The money moves. */
  #carryOut(plan: ConnectorPlan, deed: Deed, operation: Told['operation'], luck: Random): void {
    const { guard, trace } = this.#options;
    deed.state = 'done';
    trace(`${plan.id} has done ${deed.ref}`);
    guard(() => this.#mustBeOnce(deed));
    this.#tellOf(deed);
    // A collection reaches our account later; of what was paid out, its fee may be another in the end.
    if (operation === 'disburse' && !luck.chance(0.3)) return;
    if (operation === 'disburse') deed.finalFee = BigInt(luck.whole(0, 3));
    this.#settle(plan, deed, luck);
  }

  #settle(plan: ConnectorPlan, deed: Deed, luck: Random): void {
    this.#later(luck.between(0.2, 1.8) * plan.settlesAfterMs, () => {
      deed.fee = deed.finalFee ?? deed.fee;
      deed.isSettled = true;
      deed.fees.add(deed.fee);
      this.#options.trace(`${plan.id} has settled ${deed.ref}, fee ${deed.fee}`);
      this.#tellOf(deed);
    });
  }

  /** At the very moment: nobody else has done the same, unless somebody went back on a final "no". */
  #mustBeOnce({ key, connector, ref }: Deed): void {
    const others = this.deeds.filter(
      (one) => one.key === key && one.ref !== ref && one.state === 'done' && !one.isContradicted,
    );
    check(
      others.length === 0,
      '4 twice',
      () => `${connector} does ${key}, which ${others.map((one) => one.connector).join(', ')} has done`,
    );
  }

  /** Calls Kora, if that is its way: perhaps late, twice, or never. */
  #tellOf(deed: Deed): void {
    const { plan, weather, callBack } = this.#options;
    if (connectorOf(plan, deed.connector)?.callsBack !== true && !deed.isContradicted) return;
    this.#untold.add(deed);
    const { callbackLost, callbackTwice, callbackLate } = weather();
    const luck = this.#luckOf(deed.connector, `${deed.key} calls`);
    if (luck.chance(callbackLost)) return;
    const word = wordOf(deed);
    for (let copies = luck.chance(callbackTwice) ? 2 : 1; copies > 0; copies--) {
      const wayMs = luck.chance(callbackLate) ? luck.between(500, 6_000) : luck.between(1, 60);
      this.#later(wayMs, () => {
        const call = (tries: number): void => {
          this.#open += 1;
          void callBack(deed.key, deed.connector, word).then((isTaken) => {
            this.#open -= 1;
            if (isTaken && isSame(word, wordOf(deed))) this.#untold.delete(deed);
            if (!isTaken && tries > 0) this.#later(luck.between(200, 1_000), () => call(tries - 1));
          });
        };
        call(20);
      });
    }
  }
}

function finalNo({ ref }: Deed): { readonly code: string; readonly elsewhere: boolean } {
  // By its reference, so that it says the same each time.
  return { code: 'declined', elsewhere: Number(ref.slice(1)) % 3 > 0 };
}

function answerOf(deed: Deed): SendAnswer {
  const { ref: providerRef, fee, state } = deed;
  if (state === 'refused') return { outcome: 'refused', ...finalNo(deed) };
  if (state === 'taken') return { outcome: 'accepted', providerRef, status: 'pending' };
  deed.fees.add(fee);
  return { outcome: 'accepted', providerRef, status: 'confirmed', providerFee: fee.toString() };
}

const isSame = (one: Word, other: Word): boolean =>
  one.said === other.said && (!('fee' in one) || !('fee' in other) || one.fee === other.fee);

function wordOf(deed: Deed): Word {
  const { ref, fee, state } = deed;
  if (state === 'refused') return { said: 'refused', ...finalNo(deed) };
  if (state === 'taken') return { said: 'accepted', ref };
  return { said: deed.isSettled ? 'settled' : 'confirmed', ref, fee };
}
