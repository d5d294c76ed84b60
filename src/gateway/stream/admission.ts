import { subprotocol, tokenSubprotocol } from './protocol.ts';
import type { ConnectRequest } from './transport.ts';

/** Who may connect. A `TokenVerifier` of the gateway is one. */
export interface TokenCheck {
  /** @param token undefined where the client sent none */
  verify(token: string | undefined): Promise<TokenVerdict>;
}
export type TokenVerdict =
  | {
      readonly ok: true;
      readonly identity: {
        readonly principal: string;
        readonly tenant: string;
        /** When the token ends, in milliseconds since 1970. */
        readonly expiresAtMs: number;
      };
    }
  | { readonly ok: false; readonly message: string };

/** The token of a connecting client: header, else subprotocol, else query. */
export function tokenOf({ authorization, token, protocols }: ConnectRequest): string | undefined {
  const header = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (header !== undefined) return header;
  const offered = offeredOf(protocols).find((protocol) => protocol.startsWith(tokenSubprotocol));
  return offered?.slice(tokenSubprotocol.length) ?? token;
}

/** The subprotocol to answer with (empty when the client offered none), or undefined when it speaks none of ours. */
export function chosenProtocol({ protocols }: ConnectRequest): string | undefined {
  const offered = offeredOf(protocols).filter((protocol) => !protocol.startsWith(tokenSubprotocol));
  if (offered.includes(subprotocol)) return subprotocol;
  return offered.length === 0 ? '' : undefined;
}

function offeredOf(protocols: string): string[] {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}
