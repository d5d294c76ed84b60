import { connectorOf, type ProvidersPlan } from '../world/provider-plan.ts';
import { check } from './finding.ts';
import { isLive, type Payment } from './state.ts';

/** What a provider has in its own books, by connector and key: the money that it really moved. */
export interface Deed {
  readonly connector: string;
  readonly key: string;
  readonly amount: bigint;
  readonly ref: string;
  state: 'taken' | 'done' | 'refused';
  /** Of a collection: it is on our account there. */
  isSettled: boolean;
  /** It was refused for good, and done all the same. */
  isContradicted: boolean;
  /** Every fee that was ever said of it. */
  readonly fees: Set<bigint>;
  fee: bigint;
  /** The fee that it turns out to be in the end, where that is another. */
  finalFee: bigint | undefined;
}

/** Per payment: what was posted to accounts that are kept by provider, and to suspense. */
export type Books = ReadonlyMap<string, bigint>;

/** The providers' own books and Kora's, payment by payment, to the last unit. */
export function checkDeeds(
  plan: ProvidersPlan,
  payments: readonly Payment[],
  deeds: readonly Deed[],
  booksOf: (paymentId: string) => Books,
  isPeoples: (paymentId: string) => boolean,
): void {
  const byKey = new Map<string, Deed[]>();
  for (const deed of deeds) byKey.set(deed.key, [...(byKey.get(deed.key) ?? []), deed]);
  for (const payment of payments) {
    const { id } = payment;
    const done = (byKey.get(id) ?? []).filter(({ state }) => state === 'done');
    byKey.delete(id);
    checkOnce(payment, done);
    if (isPeoples(id)) continue;
    check(!isLive(payment), '4 in doubt', () => `${id} is still ${payment.stage}`);
    checkAttempts(plan, payment, done);
    if (plan.routes[payment.provider ?? ''] !== undefined) checkBooks(plan, payment, done, booksOf(id));
  }
  for (const key of byKey.keys()) check(false, '4 deeds', () => `a provider was told of ${key}, which is no payment`);
}

/** Whether Kora had been told a final "no" of it before. */
const isLate = ({ attempts }: Payment, { connector }: Deed): boolean =>
  attempts.some((one) => one.connector === connector && one.known === 'done late');

/** Once by one, whatever happens; more only by a provider that has gone back on its final "no". */
function checkOnce(payment: Payment, done: readonly Deed[]): void {
  const { id } = payment;
  const real = done.filter((deed) => !deed.isContradicted || !isLate(payment, deed));
  check(
    real.length <= 1,
    '4 twice',
    () =>
      `${id} was carried out ${real.length} times: ${real.map(({ connector, ref }) => `${connector} ${ref}`).join(', ')}`,
  );
}

/** By connector, as often as Kora's history has it; what was done after a final "no" is marked so. */
function checkAttempts(plan: ProvidersPlan, { id, attempts }: Payment, done: readonly Deed[]): void {
  for (const { id: connector } of plan.connectors) {
    const there = done.filter((deed) => deed.connector === connector);
    const known = attempts.filter((one) => one.connector === connector);
    const count = known.filter((one) => one.known === 'done' || one.known === 'done late').length;
    check(
      there.length === count,
      '4 deeds',
      () => `${connector} has done ${id} ${there.length} times, and Kora knows of ${count}`,
    );
    check(
      known.every((one) => one.known !== 'done late') || there.some(({ isContradicted }) => isContradicted),
      '4 deeds',
      () => `${id} by ${connector} is posted as late, and the provider did not go back on its word`,
    );
  }
}

function checkBooks(plan: ProvidersPlan, payment: Payment, done: readonly Deed[], books: Books): void {
  const { id, kind } = payment;
  const must = new Map<string, bigint>();
  const add = (account: string, amount: bigint): void => void must.set(account, (must.get(account) ?? 0n) + amount);
  const providerOf = ({ connector }: Deed): string => connectorOf(plan, connector)?.provider ?? '';
  // A collection that came late, or is not settled yet, has no fee.
  const hasFee = (deed: Deed): boolean => kind !== 'CASH_IN' || (deed.isSettled && !isLate(payment, deed));
  for (const deed of done) {
    const provider = providerOf(deed);
    const N = deed.amount;
    if (kind === 'CASH_IN') add(`${hasFee(deed) ? 'float' : 'receivable'}:${provider}`, -N);
    else add(`float:${provider}`, N);
    if (isLate(payment, deed)) add('suspense', kind === 'CASH_IN' ? N : -N);
  }
  for (const provider of new Set(done.map(providerOf))) {
    const charged = done.filter((deed) => hasFee(deed) && providerOf(deed) === provider);
    const c = feesOf(charged, -(books.get(`cost:${provider}`) ?? 0n));
    add(`float:${provider}`, c);
    add(`cost:${provider}`, -c);
  }
  for (const account of new Set([...must.keys(), ...books.keys()])) {
    // What was for a wallet that was closed waits in suspense as well.
    if (account === 'suspense' && !done.some((deed) => isLate(payment, deed))) continue;
    const [is, ought] = [books.get(account) ?? 0n, must.get(account) ?? 0n];
    check(is === ought, '4 books', () => `${id} (${kind}): ${account} is ${is}; the provider's books come to ${ought}`);
  }
}

/** What Kora has as the fees of a provider's deeds, if the provider ever said such fees; otherwise the true ones. */
function feesOf(deeds: readonly Deed[], posted: bigint): bigint {
  let sums = new Set([0n]);
  for (const { fees } of deeds) sums = new Set([...sums].flatMap((sum) => [...fees].map((fee) => sum + fee)));
  return sums.has(posted) ? posted : deeds.reduce((sum, { fee }) => sum + fee, 0n);
}
