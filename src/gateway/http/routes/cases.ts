import { type Asker, type CaseAnswer, type CaseFilter, casesCsv } from '../../../reconciliation/index.ts';
import type { Principal } from '../../principal.ts';
import { mayApproveCases, mayReadCases, mayWorkOnCases } from '../../access.ts';
import type { Reconciliation } from '../../reconciliation.ts';
import { unproven } from '../command.ts';
import type { CaseParts } from '../parts.ts';
import { forbidden, problemOf, reconciledElsewhere } from '../problem.ts';
import { type Access, type Answer, type Call, route } from '../route.ts';
import {
  approveBody,
  assignBody,
  caseHistory,
  casePage,
  caseParams,
  casesCsvText,
  casesExportQuery,
  casesQuery,
  caseView,
  commentBody,
  escalateBody,
  resolveBody,
} from '../schemas/case.ts';

const readers: Access = {
  roles: { support: 'any', reviewer: 'any', admin: 'any', service: 'any' },
  scopes: ['cases:read'],
};
const workers: Access = { roles: { reviewer: 'any', service: 'any' }, scopes: ['cases:write'] };

const listCases = route({
  method: 'GET',
  path: '/v1/cases',
  operation: 'listCases',
  tag: 'cases',
  summary: 'What did not match, the oldest first',
  query: casesQuery,
  answers: { 200: casePage },
  problems: ['ReconciledElsewhere'],
  access: readers,
  handle: async ({ principal, query: { limit = 50, cursor, ...filter } }, door: CaseParts) => {
    const { reconciliation, reconciliationUrl } = door;
    if (!mayReadCases(principal)) return forbidden;
    if (reconciliation === undefined) return reconciledElsewhere(reconciliationUrl);
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    return { status: 200, body: await reconciliation.cases.list(filterOf(filter), page) };
  },
});

const exportCases = route({
  method: 'GET',
  path: '/v1/cases.csv',
  operation: 'exportCases',
  tag: 'cases',
  summary: 'What did not match, as CSV',
  description: 'All of the filter. Cells that a spreadsheet would take for a formula begin with an apostrophe.',
  query: casesExportQuery,
  answers: { 200: casesCsvText },
  mediaTypes: ['text/csv'],
  problems: ['ReconciledElsewhere'],
  access: readers,
  handle: async ({ principal, query }, { reconciliation, reconciliationUrl }: CaseParts) => {
    if (!mayReadCases(principal)) return forbidden;
    if (reconciliation === undefined) return reconciledElsewhere(reconciliationUrl);
    const headers = {
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': 'attachment; filename="cases.csv"',
    };
    return { status: 200, headers, body: await casesCsv(reconciliation.cases.all(filterOf(query))) };
  },
});

const getCase = route({
  method: 'GET',
  path: '/v1/cases/:id',
  operation: 'getCase',
  tag: 'cases',
  summary: 'A case, with who did what to it, when, and why',
  params: caseParams,
  answers: { 200: caseHistory },
  problems: ['ReconciledElsewhere'],
  access: readers,
  handle: ({ principal, params: { id } }, door: CaseParts) =>
    on(door, mayReadCases(principal), (cases) => cases.get(id)),
});

const assignCase = route({
  method: 'POST',
  path: '/v1/cases/:id/assign',
  operation: 'assignCase',
  tag: 'cases',
  summary: 'Give a case to somebody, oneself included',
  params: caseParams,
  body: assignBody,
  answers: { 200: caseView },
  problems: ['IllegalTransition', 'CaseAtWork', 'ReconciledElsewhere'],
  access: workers,
  handle: (call, door: CaseParts) =>
    on(door, mayWorkOnCases(call.principal), (cases) =>
      cases.assign(call.params.id, call.body.assignee, askerOf(call), call.body.reason),
    ),
});

const commentCase = route({
  method: 'POST',
  path: '/v1/cases/:id/comment',
  operation: 'commentCase',
  tag: 'cases',
  summary: 'Write something down about a case',
  description:
    'Without personal data. The text is kept beside the log, which has a digest of it, so that it can be deleted.',
  params: caseParams,
  body: commentBody,
  answers: { 200: caseView },
  problems: ['IllegalTransition', 'ReconciledElsewhere'],
  access: workers,
  handle: (call, door: CaseParts) =>
    on(door, mayWorkOnCases(call.principal), (cases) => cases.comment(call.params.id, call.body.text, askerOf(call))),
});

const escalateCase = route({
  method: 'POST',
  path: '/v1/cases/:id/escalate',
  operation: 'escalateCase',
  tag: 'cases',
  summary: 'Have somebody above look at a case',
  description: 'It waits until it is assigned again. Nothing else waits for it.',
  params: caseParams,
  body: escalateBody,
  answers: { 200: caseView },
  problems: ['IllegalTransition', 'CaseAtWork', 'ReconciledElsewhere'],
  access: workers,
  handle: (call, door: CaseParts) =>
    on(door, mayWorkOnCases(call.principal), (cases) =>
      cases.escalate(call.params.id, call.body.reason, askerOf(call)),
    ),
});

const resolveCase = route({
  method: 'POST',
  path: '/v1/cases/:id/resolve',
  operation: 'resolveCase',
  tag: 'cases',
  summary: 'Decide about a case',
  description:
    'For who has it. Above the limit of its currency it is `proposal` until another person approves it. `working` means ' +
    'that it is written down and its outcome is not known yet. For users it is sensitive: signed with the device key.',
  params: caseParams,
  body: resolveBody,
  answers: { 200: caseView },
  problems: ['IllegalTransition', 'NotAssignee', 'CaseAtWork', 'ReconciledElsewhere'],
  sensitive: true,
  access: workers,
  handle: async (call, door: CaseParts) => {
    if (!mayWorkOnCases(call.principal)) return forbidden;
    const { params, body } = call;
    return (
      (await unproven(call, door)) ??
      on(door, true, (cases) => cases.resolve(params.id, body.resolution, body.reason, askerOf(call)))
    );
  },
});

const approveCase = route({
  method: 'POST',
  path: '/v1/cases/:id/approve',
  operation: 'approveCase',
  tag: 'cases',
  summary: 'Approve or reject what another person has proposed about a case',
  description: 'Approved by nobody who proposed it, and by no service. It is sensitive: signed with the device key.',
  params: caseParams,
  body: approveBody,
  answers: { 200: caseView },
  problems: ['IllegalTransition', 'SelfApproval', 'ProposalChanged', 'CaseAtWork', 'ReconciledElsewhere'],
  sensitive: true,
  access: { roles: { reviewer: 'any', admin: 'any' }, scopes: [] },
  handle: async (call, door: CaseParts) => {
    if (!mayApproveCases(call.principal)) return forbidden;
    const { params, body } = call;
    const verdict = body.verdict ?? 'approve';
    return (
      (await unproven(call, door)) ??
      on(door, true, (cases) => cases[verdict](params.id, body.proposal, body.reason, askerOf(call)))
    );
  },
});

export const caseRoutes = [
  listCases,
  exportCases,
  getCase,
  assignCase,
  commentCase,
  escalateCase,
  resolveCase,
  approveCase,
];

async function on(
  { reconciliation, reconciliationUrl }: CaseParts,
  may: boolean,
  work: (cases: Reconciliation['cases']) => Promise<CaseAnswer<object>>,
): Promise<Answer> {
  if (!may) return forbidden;
  if (reconciliation === undefined) return reconciledElsewhere(reconciliationUrl);
  const answer = await work(reconciliation.cases);
  return answer.ok ? { status: 200, body: answer.value } : problemOf(answer.refusal);
}

function askerOf({ principal, correlationId }: Pick<Call, 'correlationId'> & { readonly principal: Principal }): Asker {
  return { principal: principal.principal, correlationId };
}

/** Instants in the one form that the database and cursors know. */
function filterOf({ dueBefore, openedBefore, ...filter }: CaseFilter): CaseFilter {
  return {
    ...filter,
    ...(dueBefore !== undefined && { dueBefore: new Date(dueBefore).toISOString() }),
    ...(openedBefore !== undefined && { openedBefore: new Date(openedBefore).toISOString() }),
  };
}
