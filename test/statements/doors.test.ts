import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import {
  type Answered,
  type Asked,
  callAt,
  type HttpProduct,
  openProduct,
  type Someone,
} from '../http/support/product.ts';
import { type IntakeStage, intakeStage } from './support/intake.ts';
import { bookedHead, lineOf } from './support/plain-format.ts';

/** Proves that statements come in over http as they are sent, are seen by those who may, and count when a person says so. */
interface Statement {
  readonly statementId: string;
  readonly status: string;
  readonly items: readonly Record<string, unknown>[];
  readonly next?: string;
  readonly code: string;
}

let product: HttpProduct;
let pool: pg.Pool;
let stage: IntakeStage;
let url: string;
let reviewer: Someone;
let fetcher: Someone;

beforeAll(async () => {
  product = await openProduct();
  pool = new pg.Pool(asRole(product.database.poolConfig, moduleRoles.providers.role));
  stage = await intakeStage(pool, { bytesMax: 3_000_000 });
  const door = await product.open({ statements: stage.intake });
  url = `http://127.0.0.1:${door.port}`;
  reviewer = await product.user('reviewer');
  fetcher = await product.service(['statements:write'], 'fetcher');
});
afterAll(async () => {
  await stage.stop();
  await pool.end();
  await product.close();
});

type Told = Omit<Answered, 'body'> & { readonly body: Statement };
const call = async (who: Someone | undefined, method: string, path: string, asked: Asked = {}): Promise<Told> =>
  (await callAt(url, who, method, path, asked)) as unknown as Told;
const upload = (who: Someone, profile: string, lines: readonly string[], type = 'text/plain'): Promise<Told> =>
  call(who, 'POST', `/v1/statements?profile=${profile}&fileName=day.sta`, {
    text: lines.join('\n'),
    headers: { 'content-type': type },
  });
const aProfile = (): string => `bank:${randomUUID()}`;

describe('a file that is handed in', () => {
  it('is kept and read; the same bytes are the same statement', async () => {
    const profile = aProfile();
    const lines = [bookedHead, lineOf(500, 'INV-1', { text: 'MARIE' }), lineOf(-20)];
    const first = await upload(fetcher, profile, lines);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      profile,
      status: 'parsed',
      lines: 2,
      statements: 1,
      origin: 'upload',
      problemsCount: 0,
    });
    const again = await upload(reviewer, profile, lines, 'application/octet-stream');
    expect([again.status, again.body.statementId]).toEqual([200, first.body.statementId]);

    const one = await call(reviewer, 'GET', `/v1/statements/${first.body.statementId}`);
    expect(one.body).toEqual(again.body);
    const all = await call(reviewer, 'GET', `/v1/statements?profile=${profile}&status=parsed`);
    expect(all.body.items).toEqual([one.body]);
    const page = await call(reviewer, 'GET', `/v1/statements/${first.body.statementId}/lines?limit=1`);
    expect(page.body.items).toMatchObject([
      {
        amount: '500',
        currency: 'EUR',
        valueDate: '2026-11-27',
        reference: 'INV-1',
        text: 'MARIE',
        reconciliationStatus: 'unmatched',
      },
    ]);
    const rest = await call(
      reviewer,
      'GET',
      `/v1/statements/${first.body.statementId}/lines?cursor=${page.body.next ?? ''}`,
    );
    expect(rest.body.items).toMatchObject([{ amount: '-20', ordinal: 1 }]);
    const { rows } = await pool.query(
      `select actor, action from providers.statement_access where raw_statement_id = $1 order by id`,
      [first.body.statementId],
    );
    expect(rows).toEqual([
      { actor: 'service:fetcher', action: 'write' },
      { actor: 'service:fetcher', action: 'fetch' },
      { actor: reviewer.principal, action: 'read' },
      { actor: reviewer.principal, action: 'read' },
    ]);
  });

  it('is nobody else’s to see', async () => {
    const { body } = await upload(fetcher, aProfile(), [bookedHead, lineOf(1)]);
    const others = [
      fetcher,
      await product.user('support'),
      await product.user('admin'),
      await product.user('customer'),
    ];
    for (const who of others) {
      expect((await call(who, 'GET', `/v1/statements/${body.statementId}/lines`)).status).toBe(403);
      expect((await call(who, 'GET', '/v1/statements')).status).toBe(403);
    }
    const reading = await product.service(['statements:read'], 'reader');
    expect((await call(reading, 'GET', `/v1/statements/${body.statementId}/lines`)).status).toBe(200);
    expect((await upload(reading, aProfile(), [bookedHead])).status).toBe(403);
  });

  it('counts when a reviewer releases it, signed, and not before', async () => {
    const profile = aProfile();
    const { body } = await upload(fetcher, profile, [bookedHead, lineOf(7), 'P;BalanceMismatch']);
    expect(body).toMatchObject({ status: 'quarantined', problems: [{ code: 'BalanceMismatch' }] });
    const path = `/v1/statements/${body.statementId}/release`;
    const asked = { body: { reason: 'the bank has confirmed it' } };
    expect((await call(reviewer, 'POST', path, asked)).body.code).toBe('SignatureRequired');
    expect((await call(await product.service(), 'POST', path, asked)).status).toBe(403);
    const released = await call(reviewer, 'POST', path, { ...asked, signed: true });
    expect(released.body).toMatchObject({ status: 'parsed', release: { by: reviewer.principal } });
    const again = await call(reviewer, 'POST', path, { ...asked, signed: true });
    expect([again.status, again.body.code]).toEqual([409, 'NotQuarantined']);
  });

  it('is refused with the reason where it cannot be one', async () => {
    const profile = aProfile();
    expect((await upload(fetcher, profile, [])).body).toMatchObject({ code: 'Invalid', status: 400 });
    expect((await upload(fetcher, 'bank:nobody', [bookedHead])).body).toMatchObject({
      code: 'Invalid',
      field: 'profile',
    });
    expect((await upload(fetcher, profile, ['{}'], 'application/json')).body).toMatchObject({
      code: 'UnsupportedMediaType',
    });
    expect((await upload(fetcher, profile, ['x'], 'image/png')).body).toMatchObject({ code: 'UnsupportedMediaType' });
    const elsewhere = { text: 'a', headers: { 'content-type': 'text/plain' } };
    expect((await call(fetcher, 'POST', '/v1/accounts', elsewhere)).body).toMatchObject({ code: 'Forbidden' });
    expect((await call(await product.service(), 'POST', '/v1/accounts', elsewhere)).body).toMatchObject({
      code: 'UnsupportedMediaType',
    });
    const large = await upload(
      fetcher,
      profile,
      Array.from({ length: 200_000 }, () => lineOf(1)),
    );
    expect([large.status, large.body.code]).toEqual([413, 'BodyTooLarge']);
    expect((await call(reviewer, 'GET', `/v1/statements?profile=${profile}`)).body.items).toEqual([]);
    expect(await readdir(join(stage.folder, 'spool'))).toEqual([]);
  });

  it('that breaks off on the way leaves nothing', async () => {
    const profile = aProfile();
    const { port } = new URL(url);
    const sending = request({
      port,
      method: 'POST',
      path: `/v1/statements?profile=${profile}`,
      headers: { ...fetcher.headers, 'content-type': 'text/plain', 'content-length': '1000000' },
    });
    sending.on('error', () => undefined);
    sending.write(bookedHead);
    await sleep(200);
    sending.destroy();
    await expect.poll(() => readdir(join(stage.folder, 'spool')), { timeout: 5_000 }).toEqual([]);
    expect((await call(reviewer, 'GET', `/v1/statements?profile=${profile}`)).body.items).toEqual([]);
    expect(product.lines.filter((line) => line.includes('came to a fault'))).toEqual([]);
  });
});
