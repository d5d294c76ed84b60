/** What a user may be. `service` is what the tokens of `kora token` are; no person ever is. */
export const userRoles = ['customer', 'merchant', 'support', 'reviewer', 'admin'] as const;
export type UserRole = (typeof userRoles)[number];

export function isUserRole(text: unknown): text is UserRole {
  return userRoles.some((role) => role === text);
}
