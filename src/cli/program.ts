import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { NotOnThisStoreError } from '../not-on-this-store.ts';
import { ConfigError } from '../platform/config.ts';
import { configOptions, defaultOf } from '../platform/config-options.ts';
import { InstanceRunningError } from '../platform/postgres/errors.ts';
import { sentenceOf } from '../platform/sentence-of.ts';
import { backupCommand } from './backup.ts';
import { balanceCommand } from './balance.ts';
import { checkpointCommand } from './checkpoint.ts';
import { connectorsCommand } from './connectors.ts';
import { demoCommand } from './demo.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { identityCommand } from './identity.ts';
import { payoutsCommand } from './payouts.ts';
import { projectionsCommand } from './projections.ts';
import { rebuildCommand } from './rebuild.ts';
import { replayCommand } from './replay.ts';
import { restoreCommand } from './restore.ts';
import { serveCommand } from './serve.ts';
import { note, type Shell } from './shell.ts';
import { statementsCommand } from './statements.ts';
import { timelineCommand } from './timeline.ts';
import { tokenCommand } from './token.ts';
import { verifyCommand } from './verify.ts';
import { webhooksCommand } from './webhooks.ts';

/** Runs one command line and gives the exit code. Never throws. */
export async function runKora(argv: readonly string[], shell: Shell): Promise<number> {
  try {
    await program(shell).parseAsync([...argv], { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    return failed(error, shell);
  }
}

function program(shell: Shell): Command {
  const kora = new Command('kora')
    .description('The payment core of a mobile-money wallet: money moves through an append-only log in Postgres.')
    .version(packageJson.version)
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', () => `\n${settingsHelp()}\n\n${exitCodesHelp()}`);
  const commands = [
    serveCommand,
    demoCommand,
    replayCommand,
    balanceCommand,
    timelineCommand,
    payoutsCommand,
    connectorsCommand,
    statementsCommand,
    verifyCommand,
    checkpointCommand,
    backupCommand,
    restoreCommand,
    rebuildCommand,
    projectionsCommand,
    tokenCommand,
    identityCommand,
    webhooksCommand,
  ];
  for (const make of commands) kora.addCommand(make(shell));
  for (const command of [kora, ...kora.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => shell.stdout.write(text), writeErr: (text) => shell.stderr.write(text) });
    if (command !== kora) command.addHelpText('after', '\nSettings and exit codes: kora --help');
  }
  return kora;
}

function settingsHelp(): string {
  const options = Object.values(configOptions);
  const lines = options.map((option) => {
    const fallback = defaultOf(option);
    return `  ${option.env.padEnd(26)}${option.what}${fallback === undefined ? '' : ` (default: ${fallback})`}`;
  });
  return ['Settings, from the environment (a flag of the command wins):', ...lines].join('\n');
}

function exitCodesHelp(): string {
  const lines = Object.values(exitCodes).map(({ code, meaning }) => `  ${String(code).padEnd(26)}${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}

function failed(error: unknown, shell: Shell): number {
  // Commander has said already what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
  const { exitCode } = shell.interrupt;
  if (exitCode !== undefined && !(error instanceof CommandError)) {
    // Whatever it was in the middle of has said so, in its own words.
    note(shell, 'interrupted');
    return exitCode;
  }
  note(shell, `kora: ${sentenceOf(error)}${hintFor(error)}`);
  if (shell.env['KORA_LOG_LEVEL'] === 'debug' && error instanceof Error) note(shell, error.stack ?? '');
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof ConfigError || error instanceof NotOnThisStoreError) return exitCodes.usage.code;
  if (error instanceof InstanceRunningError) return exitCodes.running.code;
  return exitCodes.failed.code;
}

function hintFor(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'EADDRINUSE'
    ? '; choose another port (--http-port, --rpc-port, --stream-port, --metrics-port), or 0 for any that is free'
    : '';
}
