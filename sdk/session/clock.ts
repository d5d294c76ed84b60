/** Less than this is not the clock, it is the way. */
const offsetMsMin = 30_000;

/**
 * How far the clock of Kora is ahead of this device's, in milliseconds: telephones are often wrong by hours, and what they
 * sign must bear a time that Kora believes. Learned from the time of issue (`iat`, RFC 7519) of a token that has just come;
 * 0 where it cannot be told, and where the difference does not matter.
 */
export function clockOffsetOf(token: string, receivedAt: number): number {
  const issuedAt = issuedAtMs(token);
  if (issuedAt === undefined) return 0;
  const offsetMs = issuedAt - receivedAt;
  return Math.abs(offsetMs) < offsetMsMin ? 0 : offsetMs;
}

function issuedAtMs(token: string): number | undefined {
  try {
    const payload = token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/');
    const { iat } = JSON.parse(atob(payload ?? '')) as { readonly iat?: unknown };
    return typeof iat === 'number' ? iat * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
