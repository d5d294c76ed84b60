export type {
  Balance,
  BatchPart,
  LineDetails,
  SignedMinor,
  StatementFoot,
  StatementFormat,
  StatementHead,
  StatementLine,
  StatementPart,
  StatementProblem,
} from './statement.ts';
export { StatementUnreadableError, type StatementReader } from './statement-reader.ts';
