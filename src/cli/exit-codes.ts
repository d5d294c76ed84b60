import { constants } from 'node:os';

/** What kora ends with; `kora --help` and docs/cli.md are made from this. */
export const exitCodes = {
  ok: { code: 0, meaning: 'done; for serve: stopped in good order' },
  failed: { code: 1, meaning: 'it failed, was refused, or found what it looked for: no such account, a broken log' },
  usage: { code: 2, meaning: 'the command line or the configuration cannot be right' },
  running: { code: 3, meaning: 'another kora serves this data folder, or took it over' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C before it was done (129 by SIGHUP, 143 by SIGTERM)' },
} as const;

/** What a shell says of a process that a signal ended. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** A command that cannot go on, for a reason that its user understands. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.failed.code) {
    super(message);
    this.exitCode = exitCode;
  }
}
