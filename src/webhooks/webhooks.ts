import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Position } from '../../eventstore/index.ts';
import { addressPolicy } from './addresses.ts';
import { faultOfUrl } from './endpoint-url.ts';
import { isChoice } from './event-choice.ts';
import type { Answer, Sealer, WebhookRefusal, Webhooks, Whose } from './face.ts';
import { readBacklog } from './postgres/backlog.ts';
import { deliveriesPage, replayDeliveries, skipDelivery } from './postgres/deliveries.ts';
import { insertEndpoint, isThere, markRemoved, placeOf, readEndpoints, replaceSecret } from './postgres/endpoints.ts';
import { newSecret } from './signature.ts';

export interface WebhooksOptions {
  readonly pool: pg.Pool;
  readonly sealer: Sealer;
  /** Position of the last durable event. */
  readonly lastPosition: () => Promise<Position>;
  /** As of `runWebhooks`. */
  readonly allowedNetworks?: readonly string[];
  /** Endpoints that one principal may have. Default 20. */
  readonly endpointsMax?: number;
  readonly now?: () => Date;
}

const OVERLAP_MS = 24 * 3_600_000;

/** Endpoints and their deliveries, for doors and the command line. What delivers is `runWebhooks`. */
export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { pool, sealer, lastPosition, now = () => new Date(), endpointsMax = 20 } = options;
  const policy = addressPolicy(options.allowedNetworks ?? []);

  async function ofTheirs<Value>(id: string, whose: Whose, work: () => Promise<Answer<Value>>): Promise<Answer<Value>> {
    if (await isThere(pool, whose, id)) return work();
    return refused({ code: 'WebhookNotFound', message: `there is no webhook ${id}` });
  }

  return {
    async add({ owner, url, types }) {
      const fault = faultOfUrl(url, policy);
      if (fault !== undefined) return refused({ code: 'WebhookRefused', message: `url: ${fault}`, field: 'url' });
      const unknown = types.find((one) => !isChoice(one));
      if (unknown !== undefined || types.length === 0) {
        const message = `types: no event is called ${JSON.stringify(unknown ?? '')}`;
        return refused({ code: 'WebhookRefused', message, field: 'types' });
      }
      const id = `wh_${randomBytes(16).toString('base64url')}`;
      const secret = newSecret();
      const secretSealed = sealer.seal(secret, placeOf(id));
      const row = { id, owner, url, types: [...new Set(types)], secretSealed, createdAt: now() };
      if (!(await insertEndpoint(pool, row, { max: endpointsMax, lastPosition }))) {
        return refused({ code: 'TooManyWebhooks', message: `${endpointsMax} webhooks are as many as one may have` });
      }
      const [view] = await readEndpoints(pool, 'anybody', id);
      if (view === undefined)
        return refused({ code: 'WebhookNotFound', message: `webhook ${id} was removed meanwhile` });
      return { ok: true, value: { ...view, secret } };
    },
    backlog: async () => {
      // First how far readers are: what is written meanwhile counts as a little lag, and none is below nothing.
      const waiting = await readBacklog(pool);
      const last = await lastPosition();
      const behind = Object.fromEntries(
        waiting.readers.map(({ name, position }) => [name, Math.max(0, last - position)]),
      );
      const { pending, dead, oldestPendingAt } = waiting;
      return { pending, dead, ...(oldestPendingAt !== undefined && { oldestPendingAt }), behind };
    },
    list: (whose) => readEndpoints(pool, whose),
    remove: (id, whose) =>
      ofTheirs(id, whose, async () => {
        await markRemoved(pool, id, now());
        return { ok: true, value: undefined };
      }),
    rotate: (id, whose, overlapMs = OVERLAP_MS) =>
      ofTheirs(id, whose, async () => {
        const secret = newSecret();
        const until = new Date(now().getTime() + overlapMs);
        await replaceSecret(pool, id, sealer.seal(secret, placeOf(id)), until);
        return { ok: true, value: { secret, previousSecretUntil: until.toISOString() } };
      }),
    deliveries: (id, whose, filter, page) =>
      ofTheirs(id, whose, async () => ({ ok: true, value: await deliveriesPage(pool, id, filter, page) })),
    replay: (id, whose, filter) =>
      ofTheirs(id, whose, async () => ({
        ok: true,
        value: { replayed: await replayDeliveries(pool, id, filter, now()) },
      })),
    skip: (id, whose, eventId) =>
      ofTheirs(id, whose, async () =>
        (await skipDelivery(pool, id, eventId, now()))
          ? { ok: true, value: undefined }
          : refused({ code: 'DeliveryNotDead', message: `the delivery of ${eventId} is not dead` }),
      ),
  };
}

function refused(refusal: WebhookRefusal): { readonly ok: false; readonly refusal: WebhookRefusal } {
  return { ok: false, refusal };
}
