import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { startKora } from '../composition.ts';
import type { InstanceRunningError } from '../platform/postgres/errors.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { configured, note, printJson, printLine, type Shell, takes } from './shell.ts';

export function serveCommand(shell: Shell): Command {
  const command = new Command('serve')
    .summary('run kora: the log, the runtime, the projections and the doors')
    .description(
      'Runs kora until it is stopped. Ctrl-C (or SIGTERM) stops it in good order: the doors take nothing new, requests ' +
        'at work are answered, then the log closes and Postgres stops. A second Ctrl-C ends it at once; what was ' +
        'acknowledged is in the log either way.',
    )
    .addOption(
      new Option(
        '--roles <roles>',
        'core: all but what is said of reconciliation here; reconciliation: that alone, in a process and with a database of its own',
      )
        .choices(['core', 'reconciliation'])
        .default('core'),
    )
    .option('--json', 'print where it listens as one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora serve                                      in .kora, on the default ports
  kora serve --data-dir /var/lib/kora --host 0.0.0.0
  DATABASE_URL=postgresql://… kora serve          on a PostgreSQL of your own
  kora serve --roles reconciliation               reconciles apart: docs/reconciliation.md`,
    );
  takes(
    command,
    'dataDir',
    'archiveDir',
    'host',
    'httpPort',
    'rpcPort',
    'streamPort',
    'metricsPort',
    'connectorsFile',
    'logLevel',
  );
  return command.action((flags: ServeFlags) =>
    flags.roles === 'reconciliation' ? reconcileApart(shell, flags) : serve(shell, flags),
  );
}

interface ServeFlags extends Readonly<Record<string, unknown>> {
  readonly json?: true;
  readonly roles: 'core' | 'reconciliation';
}

/** Reconciliation alone: its own http door, and that of the metrics. */
async function reconcileApart(shell: Shell, flags: ServeFlags): Promise<void> {
  const { config, logger } = configured(shell, flags, 'talkative');
  const { startReconciler } = await import('../reconciler.ts');
  const reconciler = await startReconciler(config, logger);
  try {
    const metrics = reconciler.metricsPort && `http://${config.host}:${reconciler.metricsPort}/metrics`;
    const http = `${schemeOf(config)}://${config.host}:${reconciler.httpPort}`;
    const where = { http, core: config.coreUrl ?? '', ...(metrics !== undefined && { metrics }) };
    if (flags.json === true) printJson(shell, { ...where, pid: process.pid });
    else {
      printLine(shell, 'kora reconciles');
      for (const [what, place] of Object.entries(where)) printLine(shell, `  ${what.padEnd(8)}${place}`);
      printLine(shell, 'Ctrl-C stops it.');
    }
    await shell.interrupt.asked();
  } finally {
    await reconciler.close();
  }
  if (flags.json !== true) printLine(shell, 'stopped');
}

function schemeOf({ httpTlsCertificate }: { readonly httpTlsCertificate: string | undefined }): string {
  return httpTlsCertificate === undefined ? 'http' : 'https';
}

async function serve(shell: Shell, flags: ServeFlags): Promise<void> {
  const { config, logger } = configured(shell, flags, 'talkative');
  const lost: { error?: InstanceRunningError } = {};
  const over = new AbortController();
  const kora = await startKora(config, {
    logger,
    secrets: shell.env,
    onInstanceLost: (error) => {
      lost.error = error;
      over.abort();
    },
  });
  const stopping = (stage: string): void => {
    if (flags.json !== true) printLine(shell, `stopping: ${stage}`);
    logger.debug({ stage }, 'stopping');
  };
  try {
    const where = {
      http: `${schemeOf(config)}://${config.host}:${kora.httpPort ?? 0}`,
      rpc: `${config.rpcTlsCertificate === undefined ? 'http' : 'https'}://${config.host}:${kora.rpcPort ?? 0}`,
      stream: `ws://${config.host}:${kora.streamPort ?? 0}/stream`,
      ...(kora.metricsPort !== undefined && { metrics: `http://${config.host}:${kora.metricsPort}/metrics` }),
      data: config.databaseUrl === undefined ? resolve(config.dataDir) : 'the PostgreSQL of DATABASE_URL',
      ...(config.eventstoreUrl !== undefined && { log: 'the KurrentDB of EVENTSTORE_URL' }),
    };
    if (flags.json === true) printJson(shell, { ...where, pid: process.pid });
    else {
      printLine(shell, 'kora serves');
      for (const [what, place] of Object.entries(where)) printLine(shell, `  ${what.padEnd(8)}${place}`);
      printLine(shell, 'Ctrl-C stops it.');
    }
    await Promise.race([shell.interrupt.asked(), new Promise((end) => over.signal.addEventListener('abort', end))]);
    if (shell.stderr.isTTY === true) note(shell, '');
  } finally {
    await kora.close(stopping);
  }
  if (lost.error !== undefined) throw new CommandError(lost.error.message, exitCodes.running.code);
  if (flags.json !== true) printLine(shell, 'stopped');
}
