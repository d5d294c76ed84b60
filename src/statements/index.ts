export { camtReader } from './camt/camt-reader.ts';
export { CharsetEvidence, decideCharset } from './charset.ts';
export type { CharsetName } from './charset-decoding.ts';
export { csvMappingOf, CsvMappingError, type CsvMapping } from './csv/csv-mapping.ts';
export { csvReader } from './csv/csv-reader.ts';
export { detectFormat, DETECTION_BYTES, readerFor } from './open-reader.ts';
export { readyMapping, readyMappingNames } from './csv/ready-mappings.ts';
export { statusReportReader, type StatusReportPart, type StatusReportReader } from './pain002/pain002-reader.ts';
export type { PaymentStatus } from './pain002/payment-status.ts';
export type {
  Balance,
  StatementFormat,
  StatementHead,
  StatementLine,
  StatementPart,
  StatementProblem,
} from './statement.ts';
export { StatementUnreadableError, type StatementReader } from './statement-reader.ts';
export { schemaProblems } from './xml/schema-check.ts';
export { checkSchema, SchemaUnusableError } from './xml/xsd-check.ts';
