import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, type OpenedLine, type StatementFile, StatementIntakeError } from '../../../connectors/index.ts';
import type { PageOf } from '../../../kernel/page.ts';
import { isDay } from '../../../reconciliation/index.ts';
import {
  mayHandInStatements,
  mayMarkLines,
  mayReadFeeds,
  mayReadStatements,
  mayReleaseStatements,
} from '../../access.ts';
import { unproven } from '../command.ts';
import { forbidden, type Problem, problem } from '../problem.ts';
import { type Access, type Answer, type Call, route } from '../route.ts';
import {
  balancesQuery,
  lineMarks,
  linesQuery,
  releaseBody,
  statement,
  statementBalances,
  statementLinePage,
  statementPage,
  statementParams,
  statementsQuery,
  uploadQuery,
} from '../schemas/statement.ts';

/** An answer does not wait longer than this for the lines of a large file: it says that they are on their way. */
const importMs = 20_000;

const readers: Access = { roles: { reviewer: 'any', service: 'any' }, scopes: ['statements:read'] };

const uploadStatement = route({
  method: 'POST',
  path: '/v1/statements',
  operation: 'uploadStatement',
  tag: 'statements',
  summary: "Hand in a bank's file",
  description:
    'The body is the file as the bank made it; its format is seen in it. It is kept whatever is in it: `status` says what ' +
    'became of it. The same bytes of the same bank are one statement, however often they come: then the answer is 200 ' +
    'and the first one. `received` means that it is kept and its lines are coming in.',
  query: uploadQuery,
  upload: true,
  answers: { 200: statement, 201: statement },
  access: { roles: { reviewer: 'any', service: 'any' }, scopes: ['statements:write'] },
  handle: (call, { statements }) =>
    told(async () => {
      if (!mayHandInStatements(call.principal)) return forbidden;
      const { query, upload } = call;
      if (upload === undefined) return problem('Invalid', 'body: is empty');
      const by = actorOf(call, 'upload');
      const { profile, fileName = '' } = query;
      const { id, duplicate } = await statements.receive(upload, { profile, origin: 'upload', fileName, by });
      const enough = new AbortController();
      await Promise.race([
        statements.importSoon(id, by),
        sleep(importMs, undefined, { signal: enough.signal, ref: false }).catch(() => undefined),
      ]);
      enough.abort();
      return { status: duplicate ? 200 : 201, body: viewOf(await statements.file(id)) };
    }),
});

const listStatements = route({
  method: 'GET',
  path: '/v1/statements',
  operation: 'listStatements',
  tag: 'statements',
  summary: 'Files of banks, the newest first',
  query: statementsQuery,
  answers: { 200: statementPage },
  access: readers,
  handle: async ({ principal, query: { profile, status, limit = 50, cursor } }, { statements }) => {
    if (!mayReadStatements(principal)) return forbidden;
    const filter = { ...(profile !== undefined && { profile }), ...(status !== undefined && { status }) };
    const page = await statements.files(filter, { limit, ...(cursor !== undefined && { cursor }) });
    return { status: 200, body: pageView(page, viewOf) };
  },
});

const getStatement = route({
  method: 'GET',
  path: '/v1/statements/:id',
  operation: 'getStatement',
  tag: 'statements',
  summary: 'A file of a bank, and what was found in it',
  params: statementParams,
  answers: { 200: statement },
  access: readers,
  handle: ({ principal, params: { id } }, { statements }) =>
    told(async () => {
      if (!mayReadStatements(principal)) return forbidden;
      return { status: 200, body: viewOf(await statements.file(id)) };
    }),
});

const listStatementLines = route({
  method: 'GET',
  path: '/v1/statements/:id/lines',
  operation: 'listStatementLines',
  tag: 'statements',
  summary: 'The lines that came in with it, with names and texts',
  description: 'Lines that another file had brought before are with that one. Who reads them is written down.',
  params: statementParams,
  query: linesQuery,
  answers: { 200: statementLinePage },
  access: readers,
  handle: (call, { statements }) =>
    told(async () => {
      if (!mayReadStatements(call.principal)) return forbidden;
      const { limit = 50, cursor } = call.query;
      const page = { limit, ...(cursor !== undefined && { cursor }) };
      return {
        status: 200,
        body: pageView(await statements.lines(call.params.id, page, actorOf(call, 'list')), lineView),
      };
    }),
});

const releaseStatement = route({
  method: 'POST',
  path: '/v1/statements/:id/release',
  operation: 'releaseStatement',
  tag: 'statements',
  summary: 'Let a quarantined file count',
  description:
    'Its lines can be matched from now on. Who did it, and why, is written down. It is sensitive: signed with the device key.',
  params: statementParams,
  body: releaseBody,
  answers: { 200: statement },
  problems: ['NotQuarantined'],
  sensitive: true,
  access: { roles: { reviewer: 'any' }, scopes: [] },
  handle: (call, door) =>
    told(async () => {
      if (!mayReleaseStatements(call.principal)) return forbidden;
      const refusal = await unproven(call, door);
      if (refusal !== undefined) return refusal;
      const file = await door.statements.release(call.params.id, actorOf(call, call.body.reason));
      return { status: 200, body: viewOf(file) };
    }),
});

const markStatementLines = route({
  method: 'PUT',
  path: '/v1/statement-lines',
  operation: 'markStatementLines',
  tag: 'statements',
  summary: 'Say what lines are: reconciliation does',
  description: 'The newest word holds. A line that is quarantined, or is not there, is passed over.',
  body: lineMarks,
  answers: { 204: null },
  access: { roles: { service: 'any' }, scopes: ['ledger:correct'] },
  handle: async ({ principal, body }, { statements }) => {
    if (!mayMarkLines(principal)) return forbidden;
    await statements.mark(body.lines);
    return { status: 204, body: null };
  },
});

const getStatementBalances = route({
  method: 'GET',
  path: '/v1/statement-balances',
  operation: 'getStatementBalances',
  tag: 'statements',
  summary: "What the statements of a day opened and closed a bank's accounts with",
  description:
    'For the report of reconciliation. Every account that ever had a statement; what none says is absent. `closingDay` is there where the closing balance is that of an earlier day, and nothing was booked since.',
  query: balancesQuery,
  answers: { 200: statementBalances },
  access: { roles: { service: 'any' }, scopes: ['feeds:read'] },
  handle: async ({ principal, query: { profile, date } }, { statements }) => {
    if (!mayReadFeeds(principal)) return forbidden;
    if (!isDay(date))
      return problem('Invalid', 'date: a day is wanted, such as 2026-11-27', { figures: { field: 'date' } });
    const items = (await statements.balancesOn(profile, date)).map(({ opening, closing, ...account }) => ({
      ...account,
      ...(opening !== undefined && { opening: opening.toString() }),
      ...(closing !== undefined && { closing: closing.toString() }),
    }));
    return { status: 200, body: { items } };
  },
});

export const statementRoutes = [
  uploadStatement,
  listStatements,
  getStatement,
  listStatementLines,
  releaseStatement,
  markStatementLines,
  getStatementBalances,
];

async function told(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StatementIntakeError) return problemOf(error);
    throw error;
  }
}

function problemOf({ code, message }: StatementIntakeError): Problem {
  switch (code) {
    case 'UnknownStatement':
      return problem('NotFound', message);
    case 'UnknownProfile':
      return problem('Invalid', `profile: ${message}`, { figures: { field: 'profile' } });
    case 'FileEmpty':
      return problem('Invalid', 'body: is empty');
    case 'FileTooLarge':
      // What is still on its way is not read: the connection cannot be used again.
      return problem('BodyTooLarge', message, { headers: { connection: 'close' } });
    case 'NotQuarantined':
      return problem('NotQuarantined', message);
  }
}

function actorOf({ principal, correlationId }: Call, reason: string): Actor {
  return { actor: principal.principal, reason, correlationId };
}

function pageView<Item>({ items, next }: PageOf<Item>, view: (item: Item) => object): object {
  return { items: items.map(view), ...(next !== undefined && { next }) };
}

function viewOf({
  id,
  profile,
  status,
  origin,
  size,
  hash,
  receivedAt,
  importedAt,
  findings,
  release,
}: StatementFile): object {
  return {
    statementId: id,
    profile,
    status,
    origin,
    bytes: size,
    sha256: hash,
    receivedAt,
    ...(importedAt !== undefined && { importedAt }),
    ...findings,
    ...(release && { release }),
  };
}

function lineView(line: OpenedLine): object {
  const { id, fields, amount, entryDate, transactionCode, matchedPayoutId } = line;
  return {
    lineId: id,
    ordinal: line.ordinal,
    amount: amount.toString(),
    currency: line.currency,
    statementDate: line.statementDate,
    valueDate: line.valueDate,
    ...(entryDate !== undefined && { entryDate }),
    reversal: line.reversal,
    ...(transactionCode !== undefined && { transactionCode }),
    reconciliationStatus: line.reconciliationStatus,
    ...(matchedPayoutId !== undefined && { matchedPayoutId }),
    account: fields.account,
    reference: fields.reference,
    bankReference: fields.bankReference,
    text: fields.text,
  };
}
