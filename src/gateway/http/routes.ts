import type { CaseParts, LentParts } from './parts.ts';
import type { Route } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { connectorRoutes } from './routes/connectors.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { caseRoutes } from './routes/cases.ts';
import { feedRoutes } from './routes/feeds.ts';
import { healthRoutes } from './routes/health.ts';
import { identityRoutes } from './routes/identity.ts';
import { identityVerificationRoutes } from './routes/identity-verification.ts';
import { providerCallbackRoutes } from './routes/provider-callbacks.ts';
import { paymentStepRoutes } from './routes/payment-steps.ts';
import { paymentRoutes } from './routes/payments.ts';
import { statementRoutes } from './routes/statements.ts';
import { reconciliationRoutes } from './routes/reconciliation.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { payoutRoutes } from './routes/payouts.ts';

/** Every route of the door: what is registered, documented in OpenAPI, and walked as every role by test/http. */
export const routes: readonly Route[] = [
  ...accountRoutes,
  ...paymentRoutes,
  ...paymentStepRoutes,
  ...providerCallbackRoutes,
  ...webhookRoutes,
  ...payoutRoutes,
  ...connectorRoutes,
  ...statementRoutes,
  ...feedRoutes,
  ...caseRoutes,
  ...reconciliationRoutes,
  ...identityRoutes,
  ...identityVerificationRoutes,
  ...healthRoutes,
  ...documentationRoutes,
];

/** What a process that reconciles apart has: cases, reports, and its health. */
export const reconciliationDoorRoutes: readonly Route<CaseParts & LentParts>[] = [
  ...caseRoutes,
  ...reconciliationRoutes,
  ...healthRoutes,
];
