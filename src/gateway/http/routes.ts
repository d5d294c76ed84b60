import type { Route } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { connectorRoutes } from './routes/connectors.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { feedRoutes } from './routes/feeds.ts';
import { healthRoutes } from './routes/health.ts';
import { identityRoutes } from './routes/identity.ts';
import { providerCallbackRoutes } from './routes/provider-callbacks.ts';
import { paymentStepRoutes } from './routes/payment-steps.ts';
import { paymentRoutes } from './routes/payments.ts';
import { statementRoutes } from './routes/statements.ts';
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
  ...identityRoutes,
  ...healthRoutes,
  ...documentationRoutes,
];
