import { createHash } from 'node:crypto';
import type { Caller, ConnectorRequest, KoraRequest } from '../../actors/requests.ts';
import type { Outcome } from '../../actors/runtime.ts';
import { commandIdOf, type FingerprintPart, fingerprintOf } from '../../kernel/ids.ts';
import { idempotencyConflict } from '../../machines/refusals.ts';
import type { IdempotentCall } from './idempotency/idempotency-log.ts';
import type { CaseParts, DoorParts } from './parts.ts';
import { type Problem, problem, problemOf } from './problem.ts';
import type { Answer, Call } from './route.ts';

/** Who asks, for the log's meta. */
export function callerOf({ principal, correlationId }: Call): Caller {
  const { tenant, principal: id, sessionId } = principal;
  return { tenant, principal: id, correlationId, ...(sessionId !== undefined && { session: sessionId }) };
}

/**
 * Whether a user's sensitive command is proven: signed by the device that the session is bound to, now, for the first
 * time. Services have no device; they are held by their scopes.
 *
 * @returns the problem, where it is not
 */
export async function unproven(call: Call, { identity }: Pick<CaseParts, 'identity'>): Promise<Problem | undefined> {
  const { principal, method, path, header, rawBody, address, correlationId } = call;
  if (principal.roles.includes('service')) return undefined;
  const verdict = await identity.verifySensitive(
    {
      principal,
      method,
      path,
      timestamp: header('kora-timestamp'),
      nonce: header('kora-nonce'),
      signature: header('kora-signature'),
      bodySha256: createHash('sha256').update(rawBody).digest('hex'),
    },
    { address, correlationId },
  );
  return verdict.ok ? undefined : problemOf(verdict.refusal);
}

/**
 * Carries out a command once. The cache of answers is asked first; where it knows nothing, the log decides: the command's
 * id is made from the same key, and what was carried out before comes to the same answer again. So a lost cache costs
 * time and nothing else.
 *
 * Kept are the answers that the log keeps as well: what was done, and refusals that are recorded on a payment or a payout.
 * Whatever
 * else was refused is looked at anew when it comes again.
 *
 * @param module whose command it is
 * @param answerOf made from the outcome alone, so that a repetition comes to the same
 */
export async function carriedOut<Request extends KoraRequest | ConnectorRequest>(
  call: Call,
  { idempotency, refusal }: DoorParts,
  request: Request,
  module: CommandsOf<Request>,
  answerOf: (outcome: Outcome) => Answer,
): Promise<Answer> {
  // The cache is in the same database: whoever asked it would wait for what is not there.
  const refused = refusal();
  if (refused !== undefined) return problemOf({ code: 'Overloaded', message: refused });
  const { tenant, principal, sessionId } = call.principal;
  const { idempotencyKey: key, ...body } = request;
  const asked: IdempotentCall = {
    tenant,
    principal,
    key,
    fingerprint: fingerprintOf(body as FingerprintPart),
    session: sessionId,
  };
  const caller = callerOf(call);
  const claim = await idempotency.claim(asked);
  switch (claim.outcome) {
    case 'answered':
      return again(claim.answer);
    case 'other-request':
      // As the log would say it.
      return problemOf(idempotencyConflict(commandIdOf(tenant, principal, key)));
    case 'running':
      // An answer is written down after it was given, and whoever gave it may have died in between.
      if (claim.where === 'elsewhere' && (await module.isApplied(request, caller)))
        return again(answerOf(await module.carryOut(request, caller)));
      return problem('StillRunning', 'the same request is at work', { headers: { 'retry-after': '1' } });
    case 'claimed':
  }
  try {
    const outcome = await module.carryOut(request, caller);
    const answer = answerOf(outcome);
    if (outcome.ok || outcome.payment !== undefined || outcome.payout !== undefined) claim.keep(answer);
    else await claim.release();
    return outcome.duplicate ? again(answer) : answer;
  } catch (error) {
    await claim.release();
    throw error;
  }
}

/** What a module does with commands. */
interface CommandsOf<Request> {
  carryOut(request: Request, caller: Caller): Promise<Outcome>;
  isApplied(request: Request, caller: Caller): Promise<boolean>;
}

function again(answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, 'kora-replayed': 'true' } };
}
