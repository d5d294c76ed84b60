import { writeFile } from 'node:fs/promises';
import { Argument, Command } from 'commander';
import { balancesOn } from '../connectors/index.ts';
import { balanceAt } from '../projections/ledger-queries.ts';
import { createReports, isDay, reportCsv, reportHtml, reportJson } from '../reconciliation/index.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { note, printJson, type Shell, takes } from './shell.ts';
import { ofReadModel, withStore } from './with-store.ts';
import { withReconciliation } from './with-reconciliation.ts';

interface Flags {
  readonly date?: string;
  readonly profile?: string;
  readonly json?: true;
  readonly html?: string;
}

export function reconciliationCommand(shell: Shell): Command {
  const command = new Command('reconciliation')
    .summary('the ledger against the statements of a day')
    .description(
      'report prints, as CSV if nothing else is said, what came and went by account, what matched and what is open by age, ' +
        'and of each provider what of the difference between ledger and statement open items explain. ' +
        'docs/reconciliation.md.',
    )
    .addArgument(new Argument('<action>', 'what to do').choices(['report']))
    .option('--date <day>', 'the day, as 2026-11-27')
    .option('--profile <id>', 'only this bank or provider')
    .option('--json', 'print one JSON document')
    .option('--csv', 'print CSV')
    .option('--html <file>', 'write a page')
    .addHelpText(
      'after',
      `
Examples:
  kora reconciliation report --date 2026-11-27
  kora reconciliation report --date 2026-11-27 --profile bank:SN --html report.html`,
    );
  takes(command, 'dataDir');
  return command.action(async (_action: 'report', flags: Flags) => {
    const { date = '', profile, html } = flags;
    if (!isDay(date))
      throw new CommandError('reconciliation report: --date is wanted, as 2026-11-27', exitCodes.usage.code);
    const report = await withReconciliation(shell, flags, ({ pool }) =>
      withStore(shell, flags, (store) => {
        const reports = createReports(pool, {
          statementBalances: (day, of) => balancesOn(store.poolOf('providers'), of, day),
          posted: async (id) =>
            (await balanceAt(store.poolOf('ledger'), { account: id, at: undefined, position: undefined }))?.posted,
        });
        return ofReadModel('of balances', reports.daily(date, profile));
      }),
    );
    if (html !== undefined) {
      await writeFile(html, reportHtml(report));
      note(shell, `the report is in ${html}`);
    } else if (flags.json === true) printJson(shell, reportJson(report));
    else shell.stdout.write(reportCsv(report));
  });
}
