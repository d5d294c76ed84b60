import type { Runtime } from '../../src/actors/runtime.ts';
import type { InstructionOutcome } from '../../src/machines/commands.ts';

/**
 * What a dispatcher does, by hand: tells a connector of a payment, and takes down what is known of it then.
 *
 * @param outcome the whole of it, or `unknown`: then it is in doubt; `on its way`: nothing was said yet
 */
export async function told(
  runtime: Pick<Runtime, 'carryOut'>,
  paymentId: string,
  outcome: InstructionOutcome | 'unknown' | 'on its way',
  connector = 'bank-1',
): Promise<void> {
  const caller = { tenant: 'kora', principal: 'kora:dispatcher', correlationId: 'dispatch' };
  const at = Date.now();
  const instant = (afterMs: number): string => new Date(at + afterMs).toISOString();
  const sent = await runtime.carryOut(
    {
      type: 'Instruct',
      commandId: `instruct:${paymentId}:${connector}`,
      fingerprint: 'f',
      paymentId,
      connector,
      provider: 'bank:AB',
      sendBefore: instant(60_000),
    },
    caller,
  );
  if (!sent.ok) throw new Error(`it was not told: ${sent.refusal.message}`);
  if (outcome !== 'on its way') await said(runtime, paymentId, outcome);
}

/** What is known of the first instruction. */
export async function said(
  runtime: Pick<Runtime, 'carryOut'>,
  paymentId: string,
  outcome: InstructionOutcome | 'unknown',
): Promise<void> {
  const known = outcome === 'unknown' ? ({ said: 'unknown', reason: 'no answer in time' } as const) : outcome;
  const answer = await runtime.carryOut(
    {
      type: 'RecordOutcome',
      commandId: `outcome:${paymentId}:${known.said}`,
      fingerprint: JSON.stringify(known, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
      paymentId,
      instruction: 1,
      outcome: known,
      settlesAt: new Date(Date.now() + 86_400_000).toISOString(),
    },
    { tenant: 'kora', principal: 'kora:dispatcher', correlationId: 'dispatch' },
  );
  if (!answer.ok) throw new Error(`it was not taken down: ${answer.refusal.message}`);
}
