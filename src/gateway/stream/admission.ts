import { deviceSubprotocol, subprotocol, tokenSubprotocol } from './protocol.ts';
import type { ConnectRequest } from './transport.ts';

/** The token of a connecting client: header, else subprotocol. Not the query: addresses are written down everywhere. */
export function tokenOf({ authorization, protocols }: ConnectRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? offered(protocols, tokenSubprotocol);
}

/** The device that a connecting client says it is: header, else subprotocol. */
export function deviceOf({ device, protocols }: ConnectRequest): string | undefined {
  return device === '' ? offered(protocols, deviceSubprotocol) : device;
}

/** The subprotocol to answer with (empty when the client offered none), or undefined when it speaks none of ours. */
export function chosenProtocol({ protocols }: ConnectRequest): string | undefined {
  const spoken = offeredOf(protocols).filter(
    (protocol) => !protocol.startsWith(tokenSubprotocol) && !protocol.startsWith(deviceSubprotocol),
  );
  if (spoken.includes(subprotocol)) return subprotocol;
  return spoken.length === 0 ? '' : undefined;
}

/**
 * Whether a page of this origin may connect. Only browsers say where they are, and a page cannot make them lie: this keeps
 * foreign pages from using what a browser holds. Whoever says nothing is no browser.
 *
 * @param allowed origins, as browsers write them: `https://app.example`
 */
export function originAllowed({ origin }: ConnectRequest, allowed: readonly string[]): boolean {
  return origin === '' || allowed.includes(origin.toLowerCase());
}

function offered(protocols: string, prefix: string): string | undefined {
  return offeredOf(protocols)
    .find((protocol) => protocol.startsWith(prefix))
    ?.slice(prefix.length);
}

function offeredOf(protocols: string): string[] {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}
