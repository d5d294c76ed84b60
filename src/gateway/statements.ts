import { type StatementIntake, StatementIntakeError } from '../connectors/index.ts';

/** What the doors need of whoever takes statements in. */
export type Statements = Pick<
  StatementIntake,
  'receive' | 'importSoon' | 'files' | 'file' | 'lines' | 'release' | 'mark' | 'balancesOn'
>;

function unknown(id: string): Promise<never> {
  return Promise.reject(new StatementIntakeError('UnknownStatement', `there is no statement ${id}`));
}

/** Where no bank is known. */
export const noStatements: Statements = {
  receive: (_bytes, { profile }) =>
    Promise.reject(new StatementIntakeError('UnknownProfile', `there is no bank profile ${profile}`)),
  importSoon: () => Promise.resolve(),
  files: () => Promise.resolve({ items: [] }),
  file: unknown,
  lines: unknown,
  mark: () => Promise.resolve(),
  balancesOn: () => Promise.resolve([]),
  release: unknown,
};
