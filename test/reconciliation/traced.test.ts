import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issueServiceToken } from '../../src/gateway/service-token.ts';
import { openOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../observability/otlp-receiver.ts';
import { openScene, type Scene, until } from './support/scene.ts';

/**
 * Proves that an incident can be followed from one service to the other and back: what reconciliation has the core do is in
 * the trace of what it found, or of the person who asked; and its correlation id, which is in the core's log, names the line
 * and the payment, or the case.
 */
let scene: Scene;
let receiver: OtlpReceiver;
beforeAll(async () => {
  [scene, receiver] = await Promise.all([openScene(), openOtlpReceiver()]);
}, 60_000);
afterAll(async () => {
  await Promise.all([scene.close(), receiver.close()]);
});

/** From the outside in, beginning with this one; a span's place among others of the same parent is not looked at. */
const inside = (span: ReceivedSpan): ReceivedSpan[] =>
  receiver.spans.filter(({ parentSpanId }) => parentSpanId === span.spanId).flatMap((one) => [one, ...inside(one)]);
const correlationOf = ({ attributes }: ReceivedSpan): unknown => attributes['correlation_id'];
const correlationsInLog = async (): Promise<string[]> => {
  const { rows } = await scene.core.query<{ id: string }>(
    `select distinct meta->>'correlationId' as id from eventstore.log where meta is not null`,
  );
  return rows.map(({ id }) => id);
};

it(
  'carries trace and correlation id of what was found, and of the case, to the core',
  { timeout: 90_000 },
  async () => {
    await scene.startCore({ KORA_OTLP_URL: receiver.url });
    const apart = await scene.startApart({ KORA_OTLP_URL: receiver.url, KORA_FOUR_EYES_ABOVE: 'XOF=1000' });
    await scene.call('POST', '/v1/accounts', { type: 'customer', currency: 'XOF', accountId: 'ada' });
    const payment = await scene.collected(5_000, 'first');
    await scene.takenIn([
      { amount: 5_000, reference: payment },
      { amount: 333, reference: 'NONREF', text: 'NOBODY KNOWS' },
    ]);
    await until(
      'it is settled',
      async () => (await scene.call('GET', `/v1/payments/${payment}`))['status'] === 'SETTLED',
    );
    const effectOf = (kind: string): ReceivedSpan | undefined =>
      receiver.spans.find(({ name, attributes }) => {
        return name === 'reconciliation.effect' && attributes['reconciliation.kind'] === kind;
      });
    const settlingsOf = (effect: ReceivedSpan): ReceivedSpan[] =>
      inside(effect).filter((span) => String(correlationOf(span)).startsWith('reconciliation:match:'));
    await until('the trace is told', () => {
      const effect = effectOf('settle');
      return Promise.resolve(effect !== undefined && settlingsOf(effect).some(({ name }) => name === 'log.append'));
    });
    const effect = effectOf('settle');
    if (effect === undefined) throw new Error('it is told');
    const { rows } = await scene.own.query<{ run_id: string }>(
      `select run_id from reconciliation.effects where kind = 'settle'`,
    );
    expect(effect.attributes['reconciliation.run']).toBe(rows[0]?.run_id);
    const settling = settlingsOf(effect);
    expect(settling.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['http.request', 'runtime.command', 'log.append']),
    );
    for (const { traceId } of settling) expect(traceId).toBe(effect.traceId);
    const [correlationId] = settling.map(correlationOf);
    expect(correlationId).toMatch(new RegExp(`^reconciliation:match:.+:${payment}$`));
    expect(await correlationsInLog()).toContain(correlationId);

    // A case, resolved at the door apart in the trace of who asked.
    const headers = {
      authorization: `Bearer ${await issueServiceToken({ key: scene.key, service: 'finance', tenant: 'kora', ttlSeconds: 600 })}`,
      'content-type': 'application/json',
    };
    let caseId = '';
    await until('there is a case', async () => {
      const page = (await (await fetch(`${apart.http}/v1/cases?open=true`, { headers })).json()) as {
        items: { caseId: string; kind: string }[];
      };
      caseId = page.items.find(({ kind }) => kind === 'missing_internal')?.caseId ?? '';
      return caseId !== '' && (await scene.posted('suspense:XOF')) === '333';
    });
    const traceId = randomBytes(16).toString('hex');
    const post = async (step: string, body: object): Promise<Record<string, unknown>> => {
      const traced = {
        ...headers,
        traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
        'kora-correlation-id': 'incident-7',
      };
      const url = `${apart.http}/v1/cases/${caseId}/${step}`;
      const answer = await fetch(url, { method: 'POST', headers: traced, body: JSON.stringify(body) });
      return (await answer.json()) as Record<string, unknown>;
    };
    await post('assign', { assignee: 'service:finance' });
    const resolution = { kind: 'correct', entry: 'CORRECTION_CREDIT', amount: '333', account: 'ada' };
    expect(await post('resolve', { resolution, reason: 'it is hers' })).toMatchObject({ state: 'RESOLVED' });
    const ofCase = (): ReceivedSpan[] =>
      receiver.spans.filter((span) => String(correlationOf(span)).startsWith(`reconciliation:case:${caseId}:`));
    await until('the trace of the case is told', () =>
      Promise.resolve(ofCase().some(({ name }) => name === 'log.append')),
    );
    for (const span of ofCase()) expect(span.traceId).toBe(traceId);
    expect(await correlationsInLog()).toContain(String(ofCase().map(correlationOf)[0]));
    // The other way, the case's own log says who asked, under which id.
    const { rows: facts } = await scene.own.query<{ facts: string }>(
      `select string_agg(events::text || coalesce(meta::text, ''), '') as facts from eventstore.log where stream = $1`,
      [`case/${caseId}`],
    );
    expect(facts[0]?.facts).toContain('incident-7');
    const services = new Set(receiver.resources.map((one) => one['service.name']));
    expect([...services].sort()).toEqual(['kora', 'kora-reconciliation']);
  },
);
