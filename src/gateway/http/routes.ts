import type { Route } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';

/** Every route of the door: what is registered, documented in OpenAPI, and walked as every role by test/http. */
export const routes: readonly Route[] = [...accountRoutes];
