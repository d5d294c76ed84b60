import type { Booking, CoreAnswer } from '../effects/core.ts';
import type { CaseFact, CaseOpened, Resolution } from './case.facts.ts';
import type { Proposal, Unfinished } from './case.machine.ts';
import type { CaseCore, Decisions, Suspense } from './ports.ts';

export interface ResolutionParts {
  readonly core: CaseCore;
  readonly decisions: Decisions;
  readonly suspense: Suspense;
}

/**
 * Does what was begun, and gives the fact of its outcome. Everything that is asked for has a key made from the case and the
 * number of the resolution, so that what a crash left half done is done once. What the core refuses half-way is a fact too,
 * with what is booked: the books are right as they are, and a person goes on with the rest.
 *
 * @param unfinished the resolution that this one is the rest of
 * @throws CoreUnreachableError: nothing is known, and it is done again
 */
export async function carryOutResolution(
  parts: ResolutionParts,
  caseId: string,
  opened: CaseOpened,
  { number, resolution, by, at }: Proposal,
  unfinished?: Unfinished,
): Promise<CaseFact> {
  const done = (paymentIds: readonly string[] = []): CaseFact => ({ type: 'ResolutionDone', number, paymentIds });
  const refused = (code: string, message: string) => ({ type: 'ResolutionRefused', number, code, message }) as const;
  const { decisions, suspense, core } = parts;
  switch (resolution.kind) {
    case 'link':
    case 'separate': {
      const { lineIds, expectationIds } = resolution;
      const missing = await decisions.missing(opened.profile, lineIds, expectationIds);
      if (missing.length > 0)
        return refused('NotFound', `${opened.profile} has no line or payment ${missing.join(', ')}`);
      const kind = resolution.kind === 'link' ? 'link' : 'forbid';
      await decisions.put({ id: `case:${caseId}:${number}`, kind, lineIds, expectationIds, by, at, revoked: false });
      return done();
    }
    case 'dismiss':
      return done();
    case 'ask': {
      const answer = await core.ask(resolution.paymentId, `case:${caseId}:${number}`);
      if (answer.outcome === 'refused') return refused(answer.code, answer.message);
      return { type: 'ResolutionDone', number, paymentIds: [], said: answer.said };
    }
    case 'correct':
    case 'write_off': {
      if (!(await suspense.take(opened.lineIds, caseId)))
        return refused('NotInSuspense', 'the money of its lines is not in suspense, or no longer');
      // What an earlier attempt has booked is booked. The rest has keys of its own: the core may remember what it refused.
      const booked = [...(unfinished?.paymentIds ?? [])];
      for (const booking of bookingsOf(`case:${caseId}:${number}`, opened, resolution).slice(booked.length)) {
        const answer: CoreAnswer = await core.book(booking);
        if (answer.outcome === 'done') booked.push(answer.paymentId);
        else if (booked.length === 0) return refused(answer.code, answer.message);
        else {
          const why = `${booking.kind} was refused, and what comes before it is booked: ${answer.message}`;
          return { ...refused(answer.code, why), booked };
        }
      }
      return done(booked);
    }
  }
}

/** What moves: balanced by the core's table of postings, each through suspense. */
export function bookingsOf(
  key: string,
  { profile: provider, currency }: Pick<CaseOpened, 'profile' | 'currency'>,
  resolution: Extract<Resolution, { readonly kind: 'correct' | 'write_off' }>,
): readonly Booking[] {
  const amount = BigInt(resolution.amount);
  const { entry } = resolution;
  const of = { key: `${key}:1`, kind: entry, amount, currency };
  switch (entry) {
    case 'CORRECTION_CREDIT':
      return [{ ...of, ...(resolution.account !== undefined && { payee: resolution.account }) }];
    case 'CORRECTION_DEBIT':
      return [{ ...of, ...(resolution.account !== undefined && { payer: resolution.account }) }];
    case 'LATE_COLLECTION':
      // The money came twice into suspense: when the provider said so, and with its line. The line is what the provider owed
      // us, and its own goes out again: last, because nothing can refuse that.
      return [
        { ...of, provider },
        { ...of, key: `${key}:2`, kind: 'UNIDENTIFIED_DEBIT', provider },
      ];
    case 'WRITE_OFF_LOSS':
      return [{ ...of, provider }];
    case 'WRITE_OFF_GAIN':
      return [of];
  }
}
