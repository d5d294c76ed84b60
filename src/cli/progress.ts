import { SingleBar } from 'cli-progress';
import type { Shell } from './shell.ts';

export interface Progress {
  update(done: number): void;
  stop(): void;
}

/** A progress bar on stderr, for people only: where stderr is no terminal there is none. */
export function showProgress(shell: Shell, what: string, total: number): Progress {
  if (shell.stderr.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: `${what} [{bar}] {percentage} % | {eta_formatted} left`,
    // The type wants a whole stream; this is stderr itself wherever it is a terminal.
    stream: shell.stderr as NodeJS.WritableStream,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    fps: 5,
  });
  bar.start(Math.max(total, 1), 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}
