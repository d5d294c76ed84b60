import { Ajv } from 'ajv';
import { Type } from 'typebox';
import type { CoreLink } from '../core-link.ts';
import { CoreUnreachableError } from '../effects/core.ts';
import type { FedPage, FeedSource } from './contract.ts';

const page = Type.Object({
  items: Type.Array(Type.Object({ position: Type.Integer(), body: Type.String(), signature: Type.String() })),
  next: Type.Integer({ minimum: 0 }),
  last: Type.Integer({ minimum: 0 }),
});
const isPage = new Ajv().compile<FedPage>(page);

/** Reads feeds of a core in another process, as a service with the scope `feeds:read`. */
export function httpSource(core: Pick<CoreLink, 'ask' | 'url'>): FeedSource {
  return {
    read: async (feed, after, limit) => {
      const path = `/v1/feeds/${feed}?after=${after}&limit=${limit}`;
      const { status, body } = await core.ask({
        method: 'GET',
        path,
        correlationId: `reconciliation:feed:${feed}:${after}`,
      });
      if (status === 200 && isPage(body)) return body;
      throw new CoreUnreachableError(
        `the core at ${core.url} answered ${status} with something that is no page of a feed`,
      );
    },
  };
}
