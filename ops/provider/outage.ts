import type { Server } from 'node:http';

export type OutageKind = 'none' | 'refuse' | 'error' | 'hang';

/** While it lasts the provider is not there: connections are refused, everything is a 500, or nothing is answered. */
export class Outage {
  #listening: { readonly server: Server; readonly port: number; readonly host: string } | undefined;
  #kind: OutageKind = 'none';
  #timer: NodeJS.Timeout | undefined;

  /** Of which server, that listens there already. */
  of(server: Server, address: { readonly port: number; readonly host: string }): void {
    this.#listening = { server, ...address };
  }

  get kind(): OutageKind {
    return this.#kind;
  }

  /** @param forMs until it ends by itself; absent: until it is ended */
  async begin(kind: OutageKind, forMs?: number): Promise<void> {
    if (this.#listening === undefined) throw new Error('there is no server yet');
    const { server, ...address } = this.#listening;
    clearTimeout(this.#timer);
    if (this.#kind === 'refuse' && kind !== 'refuse') {
      await new Promise<void>((resolve) => server.listen(address, resolve));
    }
    if (kind === 'refuse' && this.#kind !== 'refuse') {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    }
    // Who hangs is let go when it is over, without an answer.
    if (this.#kind === 'hang' && kind !== 'hang') server.closeAllConnections();
    this.#kind = kind;
    if (kind !== 'none' && forMs !== undefined) this.#timer = setTimeout(() => void this.begin('none'), forMs);
  }
}
