import type { Target } from './postgres/endpoints.ts';
import type { ClaimedLane, DueDelivery, LaneResult, TriedDelivery } from './postgres/lanes.ts';
import { retryAt, type RetrySchedule } from './retry-schedule.ts';
import type { Sender, Sent } from './send.ts';
import { signatureHeader } from './signature.ts';

export interface LaneTerms {
  readonly sender: Sender;
  readonly schedule: RetrySchedule;
  readonly now: () => Date;
  /** 0 to 1. */
  readonly random: () => number;
  /** How long a lane is claimed, and how long one call may take: no call begins that might outlive the claim. */
  readonly leaseMs: number;
  readonly timeoutMs: number;
}

/** A lane with nothing on it is looked at again so much later. There should be none. */
const EMPTY_LANE_MS = 60_000;

/**
 * Delivers what is on a lane, one after the other, until one is not taken: the next one waits for it.
 *
 * @param claimedAtMs by the monotonic clock, from before it was claimed
 * @param signals `stop`: nothing new is begun; `cutOff`: what is on its way is cut off, which counts as no try
 */
export async function deliverLane(
  lane: ClaimedLane,
  target: Target,
  claimedAtMs: number,
  terms: LaneTerms,
  { stop, cutOff }: { readonly stop: AbortSignal; readonly cutOff: AbortSignal },
): Promise<LaneResult> {
  const { endpointId, stream, token, deliveries } = lane;
  const { now, leaseMs, timeoutMs } = terms;
  const tried: TriedDelivery[] = [];
  let dueAt = deliveries.length === 0 ? new Date(now().getTime() + EMPTY_LANE_MS) : now();
  for (const delivery of deliveries) {
    if (stop.aborted || performance.now() - claimedAtMs > leaseMs - timeoutMs) break;
    const at = now();
    const sent = await terms.sender.send(messageOf(delivery, target, at), cutOff);
    if (sent.outcome === 'aborted') break;
    const result = triedOf(delivery, sent, at, terms);
    tried.push(result.tried);
    if (sent.outcome === 'failed') {
      dueAt = result.dueAt;
      break;
    }
  }
  return { endpointId, stream, token, tried, dueAt };
}

function messageOf(
  { eventId, type, body }: DueDelivery,
  { url, secrets }: Target,
  at: Date,
): Parameters<Sender['send']>[0] {
  return {
    url,
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Kora-Webhooks/1',
      'kora-signature': signatureHeader(body, secrets, at),
      // The body says both as well, and is signed: these are for whoever sorts before reading.
      'kora-event-id': eventId,
      'kora-event-type': type,
    },
  };
}

function triedOf(
  { position, attempts, firstAt }: DueDelivery,
  sent: Exclude<Sent, { outcome: 'aborted' }>,
  at: Date,
  { schedule, now, random }: LaneTerms,
): { readonly tried: TriedDelivery; readonly dueAt: Date } {
  const lastAt = now();
  const common = { position, attempts: attempts + 1, firstAt: firstAt ?? at, lastAt };
  if (sent.outcome === 'taken') return { tried: { ...common, status: 'delivered', error: undefined }, dueAt: lastAt };
  const times = { firstAt: common.firstAt, now: lastAt };
  const again = retryAt(schedule, common.attempts, times, random(), sent.retryAfterMs);
  const status = again === undefined ? 'dead' : 'pending';
  return { tried: { ...common, status, error: sent.error }, dueAt: again ?? lastAt };
}
