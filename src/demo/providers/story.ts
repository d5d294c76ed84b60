import { setTimeout as sleep } from 'node:timers/promises';
import type { BreakerState } from '../../machines/connector/connector.facts.ts';
import { moneyText } from '../../cli/money-text.ts';
import type { Kora } from '../../composition.ts';
import { type Breaker, type Chronicle, isDone } from './chronicle.ts';
import { backupId, mainId } from './connectors-document.ts';
import { currency, type MobilePayments } from './mobile-payments.ts';
import type { ProviderProcess } from './provider-process.ts';

/** A provider as it should be: quick, and it does what it says. */
const kind = { latency: '20-150', confirmAfter: '0-300', acceptedTimeouts: 0, onItsWay: 0, late: 0 };
/** Taken, and never answered; under way for long; confirmed late; told twice, and in the wrong order. */
const unkind = {
  acceptedTimeouts: 0.25,
  onItsWay: 0.05,
  onItsWayFor: 2_500,
  late: 0.6,
  lateBy: 2_500,
  duplicateCallbacks: 0.3,
  outOfOrderCallbacks: 0.3,
};
export const kindFlags = ['--latency', kind.latency, '--confirm-after', kind.confirmAfter];

/** As many payments in doubt are waited for before the provider becomes kind again. */
const doubtsWanted = 8;

export interface Stage {
  readonly say: (line: string) => void;
  readonly main: ProviderProcess;
  readonly backup: ProviderProcess;
  readonly chronicle: Chronicle;
  readonly payments: MobilePayments;
  readonly kora: Pick<Kora, 'payments'>;
  readonly signal: AbortSignal;
}

/** What happens between kora and its two providers in a day; each scene ends when the log says so. */
export async function playProviders(stage: Stage): Promise<void> {
  await usualMorning(stage);
  await outage(stage);
  await comeback(stage);
  await doubts(stage);
  await dayEnd(stage);
}

async function usualMorning({ say, chronicle, payments, signal }: Stage): Promise<void> {
  await payments.cashIns(signal);
  await allDone(chronicle, signal);
  await payments.cashOuts(signal);
  await allDone(chronicle, signal);
  say(
    `${chronicle.journeys.size} cash-ins and cash-outs are done, ${through(chronicle, mainId)} of them by ${mainId}.`,
  );
}

async function outage(stage: Stage): Promise<void> {
  const { say, main, chronicle, payments, signal } = stage;
  const before = through(chronicle, backupId);
  await main.outage('refuse');
  say(`${mainId} is gone: it refuses connections.`);
  await payUntil(stage, mainId, 'OPEN');
  await payments.some(20, signal);
  await allDone(chronicle, signal);
  say(
    `Everything asked for meanwhile is done: ${through(chronicle, backupId) - before} payments fell back to ${backupId}.`,
  );
}

async function comeback(stage: Stage): Promise<void> {
  stage.say(`${mainId} is back. Its next payments are a test.`);
  await stage.main.outage('none');
  await payUntil(stage, mainId, 'CLOSED');
}

async function doubts(stage: Stage): Promise<void> {
  const { say, main, chronicle, payments, kora, signal } = stage;
  const before = doubted(chronicle);
  await main.behave(unkind);
  say(`${mainId} takes payments and does not answer, confirms late, tells things twice and in the wrong order.`);
  const amount = await payments.payout(kora.payments);
  // A few at a time: answers come between the time-outs, as they do with a provider that is ill and not gone.
  for (let waves = 0; doubted(chronicle) < before + doubtsWanted || waves < 12; waves++) {
    if (waves > 200) throw new Error(`no payments came to be in doubt, of ${chronicle.journeys.size}`);
    await payments.some(5, signal);
    await sleep(150, undefined, { signal });
  }
  await main.behave(kind);
  await allDone(chronicle, signal);
  say(`${doubted(chronicle)} payments were in doubt: they were asked for until their end was known.`);
  const slices = [...chronicle.journeys.values()].filter((one) => one.kind === 'PAYOUT').length;
  say(`A payout of ${moneyText(amount, currency)} went out meanwhile, in ${slices} slices.`);
  // It may have opened once more: what is not answered counts.
  if (chronicle.state(mainId) !== 'CLOSED') await payUntil(stage, mainId, 'CLOSED');
  await allDone(chronicle, signal);
}

/** Cash that came in is settled by the day's end; its fees are known then. */
async function dayEnd({ say, main, backup, chronicle, signal }: Stage): Promise<void> {
  await Promise.all([main.settle(), backup.settle()]);
  await chronicle.untilAll('both days are settled', ({ status }) => status !== 'captured', signal);
  say(`Day's end of the providers: everything is settled.`);
}

/** Goes on paying until a breaker has come to a state that it was not in before. */
async function payUntil(stage: Stage, connectorId: string, state: BreakerState): Promise<void> {
  const { chronicle, payments, signal } = stage;
  let reached = false;
  const from = chronicle.breakers.length;
  const look = (): boolean =>
    (reached ||= chronicle.breakers.slice(from).some((one) => one.connectorId === connectorId && one.state === state));
  const waiting = chronicle.until(`the breaker of ${connectorId} is ${state}`, look, signal);
  const paying = (async (): Promise<void> => {
    while (!look() && !signal.aborted) {
      await payments.some(4, signal);
      await Promise.race([waiting, sleep(200)]);
    }
  })();
  await Promise.all([waiting, paying]);
}

function allDone(chronicle: Chronicle, signal: AbortSignal): Promise<void> {
  return chronicle.untilAll('every payment is done', isDone, signal);
}

/** How many payments were carried out by a connector: the last that was told. */
export function through(chronicle: Chronicle, connectorId: string): number {
  return [...chronicle.journeys.values()].filter(({ told }) => told.at(-1) === connectorId).length;
}

function doubted(chronicle: Chronicle): number {
  return [...chronicle.journeys.values()].filter(({ wasInDoubt }) => wasInDoubt).length;
}

const meaning: Readonly<Record<BreakerState, string>> = {
  OPEN: 'payments go elsewhere',
  HALF_OPEN: 'a few payments test it',
  CLOSED: 'it is used as before',
};

/** A fact of a breaker, for people. */
export function breakerLine({ connectorId, state, failures, reason }: Breaker): string {
  const why = state === 'OPEN' ? ` after ${failures} failures (${reason ?? ''})` : '';
  return `breaker of ${connectorId}: ${state}${why}, ${meaning[state]}`;
}
