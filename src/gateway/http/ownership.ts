import type { WalletView } from '../../machines/account/view.ts';
import type { Principal } from '../principal.ts';
import type { Access, Reach } from './route.ts';

/** How far a caller reaches on a route: the farthest of its roles. Undefined: not at all. */
export function reachOf({ roles }: Access, principal: Principal): Reach | undefined {
  const reaches = principal.roles.map((role) => roles[role]);
  if (reaches.includes('any')) return 'any';
  return reaches.includes('own') ? 'own' : undefined;
}

/** Whether the route is for this caller at all: a role that it names, and for services the scope. */
export function mayCall(access: Access, principal: Principal): boolean {
  if (reachOf(access, principal) === undefined) return false;
  const { scopes } = principal;
  if (!principal.roles.includes('service') || scopes === undefined || access.scope === undefined) return true;
  return scopes.includes(access.scope);
}

export function owns(principal: Principal, account: Pick<WalletView, 'owner'> | undefined): boolean {
  return account?.owner !== undefined && account.owner === principal.principal;
}
