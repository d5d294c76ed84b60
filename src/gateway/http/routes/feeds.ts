import { mayReadFeeds } from '../../access.ts';
import { forbidden, notThere } from '../problem.ts';
import { route } from '../route.ts';
import { feedPage, feedParams, feedQuery } from '../schemas/feed.ts';

const readFeed = route({
  method: 'GET',
  path: '/v1/feeds/:feed',
  operation: 'readFeed',
  tag: 'feeds',
  summary: 'Events for a service of ours, from a position on',
  description:
    'What reconciliation is fed by: docs/events.md. `payments` is what webhooks are told too, `statements` the lines of ' +
    'statements; each event is signed by itself, and has keyed hashes of references in place of what is personal.',
  params: feedParams,
  query: feedQuery,
  answers: { 200: feedPage },
  access: { roles: { service: 'any' }, scopes: ['feeds:read'] },
  handle: async ({ principal, params: { feed }, query }, { feeds }) => {
    if (!mayReadFeeds(principal)) return forbidden;
    if (feeds === undefined) return notThere('feed', feed);
    return { status: 200, body: await feeds.read(feed, query.after ?? 0, query.limit ?? 1_000) };
  },
});

export const feedRoutes = [readFeed];
