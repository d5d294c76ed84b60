import type { Identity } from '../../identity/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { Payments } from '../../payments/index.ts';
import type { Webhooks } from '../../webhooks/index.ts';
import type { Connectors } from '../connectors.ts';
import type { Feeds } from '../feeds.ts';
import type { Reconciliation } from '../reconciliation.ts';
import { noStatements, type Statements } from '../statements.ts';
import { PostgresIdempotencyLog } from './idempotency/postgres-idempotency-log.ts';
import { type DoorOptions, type HttpDoor, openDoor } from './open-door.ts';
import { openApiOf } from './openapi.ts';
import type { CaseParts, DoorParts, TakesCallbacks } from './parts.ts';
import { serveReferencePage } from './reference-page.ts';
import { reconciliationDoorRoutes, routes } from './routes.ts';

export type { HttpDoor } from './open-door.ts';

export interface HttpDoorOptions extends DoorOptions {
  readonly ledger: Ledger;
  readonly payments: Payments;
  readonly connectors: Connectors;
  readonly identity: Identity;
  /** Default: no provider is known. */
  readonly providers?: TakesCallbacks;
  /** Default: no bank is known. */
  readonly statements?: Statements;
  readonly webhooks: Webhooks;
  /** Default: nobody is fed. */
  readonly feeds?: Feeds;
  /** Default: nothing is reconciled. */
  readonly reconciliation?: Reconciliation;
  /** Where cases are, when nothing is reconciled here. Default: that is not said. */
  readonly reconciliationUrl?: string | undefined;
  /** Answers are kept so long. Default 1 day. */
  readonly idempotencyRetentionMs?: number;
}

/**
 * Opens the door for people, apps and services: HTTP/1.1 with JSON, described by `docs/openapi.json`.
 *
 * @throws what listening throws (`EADDRINUSE` …)
 */
export async function startHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { ledger, payments, connectors, identity, webhooks, authenticator, pool, logger, reconciliationUrl } = options;
  const document = await openApiOf(routes);
  const idempotency = new PostgresIdempotencyLog({
    pool,
    logger,
    retentionMs: options.idempotencyRetentionMs ?? 24 * 3_600_000,
  });
  return openDoor<DoorParts>(options, {
    routes,
    partsOf: (lent) => ({
      ...lent,
      ledger,
      payments,
      connectors,
      identity,
      authenticator,
      providers: options.providers ?? { callback: () => Promise.resolve('NotTaken') },
      statements: options.statements ?? noStatements,
      webhooks,
      ...(options.feeds && { feeds: options.feeds }),
      ...(options.reconciliation && { reconciliation: options.reconciliation }),
      ...(reconciliationUrl !== undefined && { reconciliationUrl }),
      idempotency,
      refusal: () => options.troubles?.refusal,
      openApi: () => document,
    }),
    furnish: (app) => serveReferencePage(app, document),
    close: () => idempotency.close(),
  });
}

/**
 * Opens the door of a process that reconciles apart: cases, reports, and its health, as the core's door would have them.
 *
 * @throws what listening throws (`EADDRINUSE` …)
 */
export function startReconciliationDoor(
  options: DoorOptions & Required<Omit<CaseParts, 'reconciliationUrl'>>,
): Promise<HttpDoor> {
  const { identity, reconciliation } = options;
  return openDoor(options, {
    routes: reconciliationDoorRoutes,
    partsOf: (lent) => ({ ...lent, identity, reconciliation }),
  });
}
