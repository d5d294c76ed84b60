import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { startKora } from '../composition.ts';
import { formatDecimal } from '../kernel/money.ts';
import { sentenceOf } from '../platform/sentence-of.ts';
import { CommandError } from './exit-codes.ts';
import { showProgress } from './progress.ts';
import { historyCurrency } from './replay/history-row.ts';
import { replay, type ReplayReport } from './replay/replay.ts';
import { configured, note, printJson, printLine, type Shell, takes } from './shell.ts';

export function replayCommand(shell: Shell): Command {
  const command = new Command('replay')
    .summary("play a bank's transaction history through the product")
    .description(
      'Plays a transaction history (CSV) through the product: every row is a payment with its day as effective date and ' +
        "the bank's trans_id as idempotency key. The same file again changes nothing, and a replay that was stopped goes " +
        'on when it is started again. A row that cannot be read stops nothing: it is told on stderr with its line number.',
    )
    .argument(
      '<file>',
      'the history, with the columns trans_id, date, account_id, direction, operation, symbol, amount, …',
    )
    .option('--json', 'print the figures as one JSON document, balances in minor units')
    .option('--strict', 'end with exit code 1 when a row was refused')
    .addHelpText(
      'after',
      `
A credit is a CASH_IN, a debit a CASH_OUT, each settled in its own unit. The provider is cash, card, interest, fee
(statement fees) or bank:<code>. An account is opened at its first row as a customer account in ${historyCurrency}, under the
file's account id; where the history overdraws it, its limit is raised first, by a fact that says why.

Examples:
  kora replay history.csv
  kora replay history.csv --json | jq '.accounts[] | select(.account == "2378")'
  kora balance 2378 --at 1993-06-30`,
    );
  takes(command, 'dataDir');
  return command.action((file: string, flags: { json?: true; strict?: true }) => run(shell, file, flags));
}

async function run(shell: Shell, file: string, flags: { json?: true; strict?: true }): Promise<void> {
  const { config, logger } = configured(shell, flags);
  const { size } = await statOf(file);
  // A payment of the past is not asked for again: memory is for the wallets, and for what is under way.
  const residentsMax = Math.min(config.residentsMax, 20_000);
  const kora = await startKora({ ...config, residentsMax }, { logger, role: 'tool', without: ['doors', 'scheduler'] });
  let report: ReplayReport;
  try {
    const progress = showProgress(shell, 'replaying', size);
    try {
      report = await replay({
        file,
        runtime: kora.runtime,
        signal: shell.interrupt.signal,
        onRefused: ({ line, problem }) => note(shell, `line ${line}: ${problem}`),
        onProgress: (bytesRead) => progress.update(bytesRead),
      });
    } finally {
      progress.stop();
    }
    await kora.projected(shell.interrupt.signal);
  } finally {
    await kora.close();
  }
  if (flags.json === true) printDocument(shell, report);
  else printReport(shell, file, report);
  if (report.interrupted) {
    note(shell, 'interrupted; start it again to go on');
    shell.exitCode = shell.interrupt.exitCode ?? shell.exitCode;
  } else if (flags.strict === true && report.refused > 0) {
    throw new CommandError(`${report.refused} of ${report.rows} rows were refused`);
  }
}

function printDocument(shell: Shell, { seconds: _, interrupted: __, ...figures }: ReplayReport): void {
  printJson(shell, figures);
}

function printReport(shell: Shell, file: string, report: ReplayReport): void {
  const total = report.accounts.reduce((sum, { balance }) => sum + BigInt(balance), 0n);
  const figure = (what: string, value: string): void => printLine(shell, `  ${what.padEnd(28)}${value.padStart(16)}`);
  printLine(shell, file);
  figure('rows', report.rows.toLocaleString('en'));
  figure('payments made', report.payments.toLocaleString('en'));
  figure('played before', report.duplicates.toLocaleString('en'));
  figure('refused', report.refused.toLocaleString('en'));
  figure('accounts', report.accounts.length.toLocaleString('en'));
  figure('sum of balances', `${formatDecimal(total, historyCurrency)} ${historyCurrency}`);
  figure('seconds', report.seconds.toFixed(1));
  figure('payments/s', report.paymentsPerSecond.toLocaleString('en'));
}

async function statOf(file: string): Promise<{ readonly size: number }> {
  try {
    const stats = await stat(file);
    if (!stats.isDirectory()) return stats;
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${sentenceOf(error)}`);
  }
  throw new CommandError(`cannot read ${file}: it is a folder`);
}
