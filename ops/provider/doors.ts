import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Bank, PaymentStatus } from './bank.ts';
import { readBehaviour } from './behaviour.ts';
import type { Callbacks } from './callbacks.ts';
import type { Outage, OutageKind } from './outage.ts';
import type { Answer, Asked, Payments } from './payments.ts';
import type { Settlement } from './settlement.ts';
import type { Signatures } from './signing.ts';

export interface House {
  readonly bank: Bank;
  readonly payments: Payments;
  readonly callbacks: Callbacks;
  readonly signatures: Signatures;
  readonly settlement: Settlement;
}

export interface Tls {
  readonly key: string;
  readonly cert: string;
  /** With it, clients must show a certificate that is from it. */
  readonly ca?: string;
}

/** What clients see. */
export function publicDoor(house: House, outage: () => OutageKind, tls: Tls | undefined): FastifyInstance {
  const app = withRawBodies(
    tls === undefined
      ? Fastify({ forceCloseConnections: true })
      : Fastify({
          forceCloseConnections: true,
          https: { ...tls, ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }) },
        }),
  );
  const { bank, payments, signatures, settlement } = house;

  app.addHook('preHandler', async (request, reply) => {
    if (outage() === 'error') return reply.code(500).send({ error: 'out of order' });
    if (outage() === 'hang') return hang(reply);
    const wrong = signatures.refuse(request.method, request.url, request.headers, rawBody(request));
    return wrong === undefined ? undefined : reply.code(401).send({ status: 'refused', code: wrong });
  });

  for (const [path, operation] of [
    ['/disbursements', 'disburse'],
    ['/collections', 'collect'],
  ] as const) {
    app.post(path, async (request, reply) => {
      const asked = askedOf(rawBody(request));
      if (asked === undefined) return reply.code(400).send({ status: 'refused', code: 'BadRequest' });
      return answer(reply, await payments.ask(operation, asked));
    });
  }
  app.get<{ Params: { id: string } }>('/payments/:id', async ({ params: { id } }, reply) => {
    return answer(reply, await payments.status(id, bank.find(id)));
  });
  app.get<{ Querystring: { reference?: string } }>('/payments', async ({ query: { reference = '' } }, reply) => {
    return answer(reply, await payments.status(reference, bank.with(reference)[0]));
  });
  app.get('/health', () => ({ status: 'up' }));
  app.get('/settlement-reports', () => ({ count: settlement.count }));
  app.get<{ Params: { number: string } }>('/settlement-reports/:number', ({ params: { number } }, reply) => {
    const csv = settlement.report(Number(number));
    return csv === undefined ? reply.code(404).send({ status: 'not_found' }) : reply.type('text/csv').send(csv);
  });
  return app;
}

/** What whoever plays with the provider sees. On a port of its own, because the other one is closed in an outage. */
export function adminDoor({ bank, payments, callbacks, settlement }: House, outage: Outage): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) =>
    reply.code(400).send({ error: error instanceof Error ? error.message : String(error) }),
  );
  app.get('/admin/totals', () => ({ ...bank.totals(), callbacks: callbacks.counts, outage: outage.kind }));
  app.get<{ Querystring: { reference?: string } }>('/admin/payments', ({ query: { reference } }) =>
    reference === undefined ? bank.all() : bank.with(reference),
  );
  app.get('/admin/behaviour', () => payments.behaviour);
  app.post<{ Body: Record<string, unknown> }>('/admin/behaviour', ({ body }) => {
    payments.behaviour = { ...payments.behaviour, ...readBehaviour(body) };
    return payments.behaviour;
  });
  app.post<{ Body: { kind: OutageKind; forMs?: number } }>('/admin/outage', async ({ body: { kind, forMs } }) => {
    if (!['none', 'refuse', 'error', 'hang'].includes(kind)) throw new Error('kind: none, refuse, error or hang');
    await outage.begin(kind, forMs);
    return { outage: outage.kind };
  });
  app.post('/admin/settle', async (_request, reply) => {
    const { number, csv } = await settlement.settle();
    return reply.header('x-report-number', String(number)).type('text/csv').send(csv);
  });
  app.post<{ Body: { reference: string; status: PaymentStatus; code?: string } }>('/admin/say', ({ body }) => {
    const found = bank.with(body.reference);
    for (const payment of found) void payments.say(payment, body.status, body.code);
    return { said: found.length };
  });
  return app;
}

/** Signatures are over the bytes. */
function withRawBodies(app: FastifyInstance): FastifyInstance {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  return app;
}

function rawBody({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function askedOf(body: Buffer): Asked | undefined {
  try {
    const { reference, amount, currency, account } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    if (typeof reference !== 'string' || reference === '' || typeof account !== 'string') return undefined;
    if (typeof amount !== 'string' || !/^[1-9][0-9]{0,29}$/.test(amount)) return undefined;
    if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) return undefined;
    return { reference, amount, currency, account };
  } catch {
    return undefined;
  }
}

function answer(reply: FastifyReply, said: Answer): FastifyReply {
  if (said === 'hang') return hang(reply);
  return typeof said.body === 'string'
    ? reply.code(said.status).type('text/html').send(said.body)
    : reply.code(said.status).send(said.body);
}

/** Nothing is ever said. The connection is the client's to close. */
function hang(reply: FastifyReply): FastifyReply {
  reply.hijack();
  return reply;
}
