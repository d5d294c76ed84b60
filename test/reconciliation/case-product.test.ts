import { setTimeout as sleep } from 'node:timers/promises';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Ended, kora, type Serving } from '../cli/kora-process.ts';
import { type Answered, type Asked, callAt, type Someone } from '../http/support/product.ts';
import { credentials, newDevice, newLogin } from '../identity/support.ts';
import { openScene, type Scene, until } from './support/scene.ts';

let scene: Scene;
let serving: Serving;
beforeAll(async () => {
  scene = await openScene();
}, 60_000);
afterAll(() => scene.close());

const terms = { KORA_FOUR_EYES_ABOVE: 'XOF=1000', KORA_CASE_DUE_DAYS: 'missing_internal=0' };
const start = async (): Promise<Serving> => (serving = await scene.startCore({ ...scene.ownEnv, ...terms }));
/** A command line of its own, beside the kora that serves. */
const run = (...args: string[]): Promise<Ended> => kora(args, { env: { ...scene.coreEnv, ...scene.ownEnv, ...terms } });
async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect([code, args, stderr]).toEqual([0, args, stderr]);
  return stdout;
}

/** Signs up as people do, and is made a reviewer by the operator. */
async function reviewer(): Promise<Someone> {
  const [login, device] = [newLogin(), newDevice()];
  const ask = async (path: string): Promise<Record<string, unknown>> => {
    const { status, text } = await callAt(serving.http, undefined, 'POST', path, { body: credentials(login, device) });
    if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const { userId } = await ask('/v1/identity/sign-up');
  await printed('identity', 'grant', login, 'reviewer');
  const { accessToken } = await ask('/v1/identity/log-in');
  return {
    principal: `user:${String(userId)}`,
    device,
    headers: { authorization: `Bearer ${String(accessToken)}`, 'kora-device': device.id },
  };
}

const call = (who: Someone, method: string, path: string, asked: Asked = {}): Promise<Answered> =>
  callAt(serving.http, who, method, path, asked);
const books = async (): Promise<readonly string[]> => [
  await scene.posted('ada'),
  await scene.posted('suspense:XOF'),
  await scene.posted('float:bank:SN:XOF'),
];
const open = async (who: Someone): Promise<readonly { readonly caseId: string }[]> =>
  (await call(who, 'GET', '/v1/cases?open=true')).body.items as unknown as { caseId: string }[];

/** How often the core was had to book a correction. */
async function corrections(): Promise<unknown> {
  const { rows } = await scene.core.query<{ times: number }>(
    `select count(*)::int as times from eventstore.log where events::text like '%CORRECTION_CREDIT%'
     and stream like 'payment/%'`,
  );
  return rows[0]?.times;
}

/**
 * Proves that money of nobody's comes from the statement over suspense and a case to a wallet, decided by two people, once:
 * also where the process is killed between the approval and the booking; and that the command line sees and does the same.
 */
it('takes money of nobody to its wallet by two people, killed in between', { timeout: 150_000 }, async () => {
  await start();
  await scene.call('POST', '/v1/accounts', { type: 'customer', currency: 'XOF', accountId: 'ada' });
  const [ama, kofi] = [await reviewer(), await reviewer()];
  await scene.takenIn([{ amount: 2_500, reference: 'NONREF', text: 'NOBODY KNOWS' }]);
  await until('there is a case', async () => (await open(ama)).length === 1);
  const caseId = (await open(ama))[0]?.caseId ?? '';
  await until('its money is in suspense', async () => (await scene.posted('suspense:XOF')) === '2500');
  expect(await books()).toEqual(['0', '2500', '-2500']);

  // The command line, beside it.
  const list = await printed('cases');
  expect(list).toMatch(new RegExp(`^${caseId} +OPEN +missing_internal +bank:SN +2500 XOF .* overdue$`, 'm'));
  expect(JSON.parse(await printed('cases', 'list', '--json'))).toMatchObject({
    items: [{ caseId, amount: '2500', overdue: true }],
  });
  expect(await printed('cases', 'show', caseId)).toMatch(/^due .* overdue$/m);
  expect(await printed('cases', 'export')).toMatch(/,20[0-9T:.-]+Z,yes,/);
  const wrong = await kora(['cases'], { env: { ...scene.coreEnv, ...scene.ownEnv, KORA_CASE_DUE_DAYS: 'late=1' } });
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('KORA_CASE_DUE_DAYS: days, 0 to 365') as string,
  ]);
  await printed('cases', 'assign', caseId, '--to', ama.principal, '--reason', 'she knows the customer');
  await printed('cases', 'comment', caseId, '--text', '=she has a receipt');
  const nobody = await run('cases', 'show', 'x'.repeat(27));
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('there is no case') as string]);

  const step = (who: Someone, what: string, body: object) =>
    call(who, 'POST', `/v1/cases/${caseId}/${what}`, { body, signed: true });
  expect((await call(ama, 'POST', `/v1/cases/${caseId}/assign`, { body: { assignee: ama.principal } })).status).toBe(
    200,
  );
  const resolution = { kind: 'correct', entry: 'CORRECTION_CREDIT', amount: '2500', account: 'ada' };
  expect((await step(ama, 'resolve', { resolution, reason: 'it is hers' })).body).toMatchObject({
    ...{ state: 'ASSIGNED', moved: '0', proposal: { number: 1, by: ama.principal } },
  });
  const approval = { proposal: 1, reason: 'I have seen the receipt' };
  expect((await step(ama, 'approve', approval)).body.code).toBe('SelfApproval');
  expect(await books()).toEqual(['0', '2500', '-2500']);

  // The core's log lets nothing in, so that the approval is written and its booking is not, when the process dies.
  const gate = await scene.core.connect();
  await gate.query('begin');
  await gate.query('lock table eventstore.log in access exclusive mode');
  const approving = step(kofi, 'approve', approval).catch(() => 'nobody answered');
  await until('the approval is written', async () => {
    const { rows } = await scene.own.query(
      `select from eventstore.log where stream = $1 and events::text like '%ResolutionBegun%'`,
      [`case/${caseId}`],
    );
    return rows.length === 1;
  });
  await sleep(300);
  process.kill(serving.pid, 'SIGKILL');
  await serving.ended;
  expect(await approving).toBe('nobody answered');
  await gate.query('rollback');
  gate.release();

  await start();
  await until('it is hers', async () => (await scene.posted('ada')) === '2500');
  await until('the case is resolved', async () => (await open(ama)).length === 0);
  expect((await step(kofi, 'approve', approval)).body.code).toBe('IllegalTransition');
  // Looked at a few times more, and started once more.
  await sleep(1_500);
  process.kill(serving.pid, 'SIGKILL');
  await serving.ended;
  await start();
  await sleep(1_500);
  expect(await books()).toEqual(['2500', '0', '-2500']);
  expect(await corrections()).toBe(1);

  const shown = await printed('cases', 'show', caseId);
  expect(
    shown
      .split('\n')
      .filter((line) => /Case|Resolution/.test(line))
      .map((line) => line.split(/ {2,}/).slice(1)),
  ).toEqual([
    ['reconciliation', 'CaseOpened', 'unknown'],
    [`operator:${userInfo().username}`, `CaseAssigned to ${ama.principal}`, 'she knows the customer'],
    [`operator:${userInfo().username}`, 'CaseCommented', '=she has a receipt'],
    [ama.principal, `CaseAssigned to ${ama.principal}`],
    [ama.principal, 'ResolutionProposed', 'it is hers'],
    [kofi.principal, 'ResolutionBegun', 'I have seen the receipt'],
    ['reconciliation', 'ResolutionDone'],
  ]);
  expect(await printed('cases')).toBe('there is no such case\n');
  const [titles = '', line = '', end] = (await printed('cases', 'export', '--all')).split('\r\n');
  expect([titles.split(',')[0], end]).toEqual(['case', '']);
  expect(titles).toContain(',due,overdue,');
  expect(line).toMatch(new RegExp(`^${caseId},RESOLVED,missing_internal,bank:SN,in,2500,XOF,unknown,`));
  expect((await call(ama, 'GET', '/v1/cases.csv')).text).toBe(`${titles}\r\n${line}\r\n`);
  const report = JSON.parse(await printed('reconciliation', 'report', '--date', '2026-11-27', '--json')) as object;
  expect(report).toMatchObject({
    accounts: [{ profile: 'bank:SN', in: '2500', out: '0', turnoverDifference: '0' }],
    positions: [{ float: '2500', receivable: '0' }],
  });
});
