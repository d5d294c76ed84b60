import { fc, it } from '@fast-check/vitest';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { instantOf } from '../../src/gateway/instant.ts';
import document from '../../docs/openapi.json' with { type: 'json' };
import { FromSchema, junk, type Known, type Schema } from './support/from-schema.ts';
import { told } from '../support/instructions.ts';
import { type HttpProduct, openProduct, signatureOf, type Someone } from './support/product.ts';

/**
 * Sends what the served OpenAPI document describes, and what it does not, as everybody, to every operation. Proves that
 * nothing of it comes to a fault, and that each answer is one that the document declares, in the form that it declares.
 */
const casesPerOperation = 60;

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json'?: { readonly schema: Schema } } };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, { schema: Schema }>> }>
  >;
}
interface Sent {
  readonly who: number;
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly key: string | undefined;
  readonly sign: boolean;
}

const { paths, components } = document as unknown as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: operation.operationId,
    method: method.toUpperCase(),
    path,
    operation,
  })),
);

// Texts that mean something are known only when the product runs; the generators get places for them.
const accounts = ['{adas}', '{bens}', '{mels}', '{till}'];
const known: Known = {
  ':accounts': [...accounts, 'float:cash:XOF'],
  ':payments': ['{purchase}', '{transfer}', '{begun}', '{settled}', '{slice}', '{told}', '{paid}'],
  ':payouts': ['{payout}', '{other payout}'],
  ':connectors': ['momo-1', 'momo-2'],
  account: accounts,
  payer: accounts,
  payee: accounts,
  owner: ['{ada}'],
  currency: ['XOF'],
  provider: ['cash'],
  beneficiary: ['ben-1'],
  rail: ['instant'],
  providerRef: ['ref-1'],
  amount: ['1', '2', '1000000'],
  captureAmount: ['1'],
  limit: ['0', '5'],
  login: ['+221770000001', '+221770000002', 'ada@example.org'],
  password: ['correct-Pony-71-staple'],
  'Kora-Device': ['some-device'],
};

function requests(path: string, operation: Operation): fc.Arbitrary<Sent> {
  const tame = new FromSchema(components.schemas, known, 'tame');
  const wild = new FromSchema(components.schemas, known, 'wild');
  return fc.oneof(requestsOf(path, operation, tame), requestsOf(path, operation, wild));
}

function requestsOf(path: string, { parameters = [], requestBody }: Operation, values: FromSchema): fc.Arbitrary<Sent> {
  const thing = `:${path.split('/')[2] ?? ''}`;
  const of = (place: Parameter['in']): fc.Arbitrary<Record<string, unknown>> => {
    const some = parameters.filter((parameter) => parameter.in === place && parameter.name !== 'Idempotency-Key');
    const fields = Object.fromEntries(
      some.map(({ name, schema }) => [name, values.value(schema, name === 'id' ? thing : name)]),
    );
    return fc.record(fields, { requiredKeys: place === 'path' ? Object.keys(fields) : [] });
  };
  const schema = requestBody?.content['application/json']?.schema;
  return fc.record({
    who: fc.nat({ max: 5 }),
    path: of('path'),
    query: fc.oneof({ weight: 9, arbitrary: of('query') }, { weight: 1, arbitrary: fc.constant({ unknown: 'x' }) }),
    headers: fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: of('header') }),
    body: schema === undefined ? fc.constant(undefined) : values.value(schema),
    // Few, so that they meet again.
    key: fc.option(
      fc.oneof({ weight: 6, arbitrary: fc.uuid() }, { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c') }),
      { nil: undefined, freq: 20 },
    ),
    sign: fc.boolean(),
  });
}

describe('whatever is sent', () => {
  let product: HttpProduct;
  let callers: (Someone | undefined)[];
  const meanings = new Map<string, string>();
  const unhandled: unknown[] = [];
  const note = (error: unknown): number => unhandled.push(error);
  const validators = new Map<Schema, ValidateFunction>();
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat('date-time', (text) => instantOf(text) !== undefined);

  beforeAll(async () => {
    process.on('unhandledRejection', note);
    process.on('uncaughtExceptionMonitor', note);
    product = await openProduct({ rates: { perAddress: 1e9, perUser: 1e9, perService: 1e9 } });
    const [ada, mel, admin, service] = await Promise.all([
      product.user('customer'),
      product.user('merchant'),
      product.user('admin'),
      product.service(),
    ]);
    callers = [undefined, ada, mel, admin, service, await product.user('support')];
    const open = async (who: Someone, type: string) =>
      (await product.must(who, 'POST', '/v1/accounts', { body: { type, currency: 'XOF' } })).body.accountId;
    const [adas, bens, mels] = [
      await open(ada, 'customer'),
      await open(await product.user('customer'), 'customer'),
      await open(mel, 'merchant'),
    ];
    const pay = async (body: object) =>
      (await product.must(service, 'POST', '/v1/payments', { body: { currency: 'XOF', amount: '1000', ...body } })).body
        .paymentId;
    await pay({ kind: 'CASH_IN', payee: adas, provider: 'cash', amount: '1000000' });
    const till = (await product.must(service, 'POST', '/v1/accounts', { body: { type: 'treasury', currency: 'XOF' } }))
      .body.accountId;
    await pay({ kind: 'FUNDING', payee: till, provider: 'bank:AB', amount: '1000000' });
    const payOut = async () => {
      const body = { payer: till, provider: 'bank:AB', beneficiary: 'ben-1', amount: '100', currency: 'XOF' };
      return (await product.must(service, 'POST', '/v1/payouts', { body })).body;
    };
    const [waiting, sent, done] = [await payOut(), await payOut(), await payOut()];
    const sliceOf = ({ slices: [first] }: typeof sent): string => first?.paymentId ?? '';
    for (const one of [sent, done]) await told(product.runtime, sliceOf(one), 'unknown');
    await product.must(service, 'POST', `/v1/payments/${sliceOf(done)}/resolve`, {
      body: { outcome: 'settled', providerRef: 'ref-1' },
    });
    meanings.set('{till}', till).set('{payout}', waiting.payoutId).set('{other payout}', sent.payoutId);
    meanings.set('{slice}', sliceOf(waiting)).set('{told}', sliceOf(sent)).set('{paid}', sliceOf(done));
    meanings.set('{ada}', ada.principal).set('{adas}', adas).set('{bens}', bens).set('{mels}', mels);
    meanings.set(
      '{purchase}',
      await pay({ kind: 'MERCHANT', payer: adas, payee: mels, amount: '10', upTo: 'CAPTURED' }),
    );
    meanings.set('{begun}', await pay({ kind: 'MERCHANT', payer: adas, payee: mels, amount: '10', upTo: 'INITIATED' }));
    meanings.set('{settled}', await pay({ kind: 'MERCHANT', payer: adas, payee: mels, amount: '1000' }));
    meanings.set('{transfer}', await pay({ kind: 'P2P', payer: adas, payee: mels, amount: '10', upTo: 'AUTHORIZED' }));
  });
  afterAll(async () => {
    process.off('unhandledRejection', note);
    process.off('uncaughtExceptionMonitor', note);
    await product.close();
  });

  /** With the meanings of places in it. */
  const meant = <Value>(value: Value): Value => {
    let text = JSON.stringify(value);
    for (const [place, meaning] of meanings) text = text.replaceAll(place, meaning);
    return JSON.parse(text) as Value;
  };

  const send = async (method: string, path: string, sent: Sent) => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encoded(sent.path[name]));
    const query = Object.entries(sent.query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
    const target = filled + (query.length === 0 ? '' : `?${query.join('&')}`);
    const who = callers[sent.who];
    const text = sent.body === undefined ? undefined : JSON.stringify(sent.body);
    const headers = new Headers({
      ...who?.headers,
      ...(sent.key !== undefined && { 'idempotency-key': sent.key }),
      ...(text !== undefined && { 'content-type': 'application/json' }),
      ...(sent.sign && who?.device !== undefined && signatureOf(who, method, target, text ?? '')),
    });
    for (const [name, value] of Object.entries(sent.headers)) {
      // What no client could put into a header.
      if (/^[\x20-\x7e]*$/.test(String(value))) headers.set(name, String(value));
    }
    return fetch(product.url + target, { method, headers, ...(text !== undefined && { body: text }) });
  };

  const hold = async (answer: Response, { operationId, responses }: Operation): Promise<void> => {
    const text = await answer.text();
    const told = `${operationId}: ${answer.status} ${text}`;
    expect(answer.status, told).toBeLessThan(500);
    const declared = responses[String(answer.status)];
    expect(declared, `not declared: ${told}`).toBeDefined();
    if (answer.status === 204) {
      expect(text).toBe('');
      return;
    }
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    const schema = declared?.content?.[type]?.schema;
    if (schema === undefined) throw new Error(`${type} is not declared: ${told}`);
    const body = (type.endsWith('json') ? JSON.parse(text) : text) as { code?: string };
    let validate = validators.get(schema);
    if (validate === undefined) {
      validate = ajv.compile({ ...schema, components });
      validators.set(schema, validate);
    }
    if (!validate(body)) throw new Error(`${told} is not as declared: ${ajv.errorsText(validate.errors)}`);
    if (answer.status >= 400) expect(declared?.description.split(', '), told).toContain(body.code);
  };

  // These end sessions, and the callers with them: they are tried as strangers only.
  const ending = ['logOut', 'endSession', 'changePassword', 'changeRoles'];

  for (const { name, method, path, operation } of operations) {
    const anyone = requests(path, operation);
    const arbitrary = ending.includes(name) ? anyone.map((sent) => ({ ...sent, who: 0 })) : anyone;
    it.prop([arbitrary], { numRuns: casesPerOperation })(
      `comes to no fault, and to what is declared: ${name}`,
      async (sent) => {
        await hold(await send(method, path, meant(sent)), operation);
      },
    );
  }

  it.prop([fc.constantFrom(...operations), fc.nat({ max: 5 }), fc.uint8Array({ maxLength: 200 })], { numRuns: 200 })(
    'comes to no fault where the body is any bytes',
    async ({ method, path, operation }, who, bytes) => {
      if (method === 'GET' || ending.includes(operation.operationId)) return;
      const answer = await fetch(product.url + path.replaceAll(/\{\w+\}/g, meanings.get('{adas}') ?? ''), {
        method,
        headers: { ...callers[who]?.headers, 'idempotency-key': 'bytes', 'content-type': 'application/json' },
        body: bytes,
      });
      await hold(answer, operation);
    },
  );

  it.prop(
    [fc.string({ unit: 'binary', maxLength: 60 }), junk, fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH')],
    {
      numRuns: 200,
    },
  )('comes to no fault where no route is', async (path, value, method) => {
    const answer = await fetch(`${product.url}/${encoded(path)}/${encoded(value)}`, { method });
    expect(answer.status, `${method} ${path}`).toBeLessThan(500);
    expect(answer.headers.get('kora-correlation-id')).toBeTruthy();
    await answer.arrayBuffer();
  });

  it('left nothing behind that nobody caught', async () => {
    // Whatever was under way has ended by the time that the door still answers.
    expect((await product.call(undefined, 'GET', '/health/ready')).status).toBe(200);
    expect(unhandled).toEqual([]);
    expect(product.lines.filter((line) => line.includes('came to a fault'))).toEqual([]);
  });
});

/** As an address can have it: whole characters, and no dots that a client would take for a way. */
function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return encodeURIComponent(text.toWellFormed()).replaceAll('.', '%2E');
}
