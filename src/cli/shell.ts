import { type Command, Option } from 'commander';
import { configFrom, type KoraConfig, type Texts } from '../platform/config.ts';
import { configOptions, defaultOf } from '../platform/config-options.ts';
import { createLogger, type Logger } from '../platform/logging.ts';
import type { Interrupt } from './interrupt.ts';

/** What a command may touch of the world outside: `main.ts` hands it in, tests hand in another. */
export interface Shell {
  readonly env: Texts;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly interrupt: Interrupt;
  /** Set by commands; 0 until then. */
  exitCode: number;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The one JSON document of a command. Amounts are decimal strings already. */
export function printJson(shell: Shell, document: unknown): void {
  shell.stdout.write(`${JSON.stringify(document)}\n`);
}

export function printLine(shell: Shell, line = ''): void {
  shell.stdout.write(`${line}\n`);
}

/** For people, beside what the command prints. */
export function note(shell: Shell, line: string): void {
  shell.stderr.write(`${line}\n`);
}

type ConfigName = keyof KoraConfig;

/** Gives a command the flags of these settings. */
export function takes(command: Command, ...names: readonly ConfigName[]): Command {
  for (const name of names) {
    const { flag, what, env } = configOptions[name];
    if (flag !== undefined)
      command.option(flag, `${what} (default: ${defaultOf(configOptions[name]) ?? 'none'}; or ${env})`);
  }
  return command;
}

/** The configuration that a command runs with, and its logger. */
export function configured(
  shell: Shell,
  flags: Readonly<Record<string, unknown>>,
  quiet: 'quiet' | 'talkative' = 'quiet',
): { readonly config: KoraConfig; readonly logger: Logger } {
  const texts: Partial<Record<ConfigName, string>> = {};
  for (const name of Object.keys(configOptions) as ConfigName[]) {
    const { flag } = configOptions[name];
    // Where the flag is called otherwise than the option, commander calls it as the flag.
    const value = flags[flag === undefined ? name : new Option(flag).attributeName()];
    if (typeof value === 'string') texts[name] = value;
  }
  // What takes a moment and ends is silent unless something is wrong.
  const env = quiet === 'quiet' ? { ...shell.env, KORA_LOG_LEVEL: shell.env['KORA_LOG_LEVEL'] ?? 'warn' } : shell.env;
  const config = configFrom(env, texts);
  const logger = createLogger({
    level: config.logLevel,
    write: (line) => shell.stderr.write(line),
    format: shell.stderr.isTTY === true ? 'text' : 'json',
  });
  return { config, logger };
}
