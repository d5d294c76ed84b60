/** What is said between the process of a fan-out case and the server that it measures, over the channel of `fork`. */
export type ToServer =
  | { readonly type: 'start'; readonly databaseUrl: string }
  /** Make so many events on the topic, at once. */
  | { readonly type: 'publish'; readonly count: number }
  /** Say what memory is used, after a collection. */
  | { readonly type: 'memory' }
  | { readonly type: 'end' };

export type FromServer =
  | { readonly type: 'started'; readonly port: number; readonly token: string }
  | { readonly type: 'memory'; readonly bytes: number }
  | { readonly type: 'failed'; readonly message: string };

/** The one topic that everybody watches. */
export const topic = 'account/customer-0000';

/** A server of a fan-out case, ours or a peer's. */
export interface FanOutServer {
  readonly port: number;
  /** What its clients have to show; empty for none. */
  readonly token: string;
  /** Makes one event, which all who watch the topic get. */
  publish(): Promise<void> | void;
  close(): Promise<void> | void;
}

/** Serves the messages of the case. */
export function serveFanOut(start: (databaseUrl: string) => Promise<FanOutServer>): void {
  const say = (message: FromServer): void => void process.send?.(message);
  const failed = (error: unknown): void => {
    say({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  };
  let server: FanOutServer | undefined;
  process.on('message', (message: ToServer) => {
    switch (message.type) {
      case 'start':
        start(message.databaseUrl).then((started) => {
          server = started;
          say({ type: 'started', port: started.port, token: started.token });
        }, failed);
        return;
      case 'publish':
        for (let index = 0; index < message.count; index++) Promise.resolve(server?.publish()).catch(failed);
        return;
      case 'memory':
        collectGarbage();
        say({ type: 'memory', bytes: process.memoryUsage.rss() });
        return;
      case 'end':
        Promise.resolve(server?.close()).then(() => process.exit(0), failed);
        return;
    }
  });
  // Whoever measures is gone, without a word: it failed.
  process.once('disconnect', () => process.exit(1));
}

function collectGarbage(): void {
  // Run with --expose-gc. Twice: what the first frees may be all that held something else.
  globalThis.gc?.();
  globalThis.gc?.();
}
