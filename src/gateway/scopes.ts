/**
 * What a service token can be limited to (`kora token --scope`). A token without scopes may do everything.
 *
 * `payments:settle` stands apart from `payments:write`, because whoever settles what goes through a provider says that the
 * provider's money has moved: that is for those who talk to the provider. Payouts empty treasuries, and have scopes of their
 * own; `connectors:operate` opens and closes breakers; `ledger:correct` is reconciliation's: lines of statements that are
 * nobody's payment, and corrections through suspense. `statements:write` hands in what banks say, `statements:read` shows it,
 * with names and texts. `cases:read` shows what did not match, and the report of it; `cases:write` works on it, and approves
 * nothing: that is for people. `identity:verify` asks whose a token is, and whether a device signed a request: for services of
 * ours that have a door of their own.
 */
export const scopes = [
  'accounts:read',
  'accounts:write',
  'payments:read',
  'payments:write',
  'payments:settle',
  'ledger:correct',
  'payouts:read',
  'payouts:write',
  'connectors:read',
  'connectors:operate',
  'statements:read',
  'statements:write',
  'feeds:read',
  'cases:read',
  'cases:write',
  'identity:verify',
  'stream:read',
  'webhooks:manage',
] as const;
export type Scope = (typeof scopes)[number];

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
