import { isDay, pagePolicy, reportCsv, reportHtml, reportJson } from '../../../reconciliation/index.ts';
import { mayReadCases } from '../../access.ts';
import type { CaseParts } from '../parts.ts';
import { forbidden, problem, reconciledElsewhere } from '../problem.ts';
import { type Answer, route } from '../route.ts';
import { dailyReport, reportQuery } from '../schemas/reconciliation.ts';

const reconciliationReport = route({
  method: 'GET',
  path: '/v1/reconciliation/report',
  operation: 'getReconciliationReport',
  tag: 'cases',
  summary: 'The ledger against the statements of a day',
  description:
    'By account what came and went, what matched, and what is open by age; by provider and currency the balances, and what ' +
    'of their difference open items explain. What is matched, and balances of the ledger, are of now. `csv` and `html` ' +
    'have amounts in decimals.',
  query: reportQuery,
  answers: { 200: dailyReport },
  mediaTypes: ['application/json', 'text/csv', 'text/html'],
  problems: ['ReconciledElsewhere'],
  access: { roles: { support: 'any', reviewer: 'any', admin: 'any', service: 'any' }, scopes: ['cases:read'] },
  handle: async ({ principal, query: { date, profile, format = 'json' } }, door: CaseParts): Promise<Answer> => {
    const { reconciliation, reconciliationUrl } = door;
    if (!mayReadCases(principal)) return forbidden;
    if (!isDay(date))
      return problem('Invalid', 'date: a day is wanted, such as 2026-11-27', { figures: { field: 'date' } });
    if (reconciliation === undefined) return reconciledElsewhere(reconciliationUrl);
    const report = await reconciliation.reports.daily(date, profile);
    switch (format) {
      case 'json':
        return { status: 200, body: reportJson(report) };
      case 'csv':
        return text('text/csv; charset=utf-8; header=present', reportCsv(report));
      case 'html':
        // The door's own policy lets no answer have a style.
        return text('text/html; charset=utf-8', reportHtml(report), {
          'content-security-policy': `${pagePolicy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        });
    }
  },
});

function text(type: string, body: string, headers?: Answer['headers']): Answer {
  // As bytes: a text would be held against the schema of the JSON.
  return { status: 200, headers: { ...headers, 'content-type': type }, body: Buffer.from(body) };
}

export const reconciliationRoutes = [reconciliationReport];
