import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { currencies } from '../kernel/currencies.ts';
import {
  CharsetEvidence,
  type CharsetName,
  type CsvMapping,
  CsvMappingError,
  csvMappingOf,
  decideCharset,
  detectFormat,
  DETECTION_BYTES,
  readerFor,
  readyMapping,
  readyMappingNames,
  schemaProblems,
  checkSchema,
  SchemaUnusableError,
  type StatementFormat,
  type StatementPart,
  type StatementReader,
  StatementUnreadableError,
} from '../statements/index.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { note, type Shell } from './shell.ts';
import { JsonStatements, type PrintedProblem, type StatementPrinter, TextStatements } from './statements-print.ts';

export interface ParseFlags {
  readonly format?: StatementFormat;
  readonly currency?: string;
  readonly charset?: CharsetName;
  readonly mapping?: string;
  readonly schema?: string;
  readonly json?: true;
}

/** `kora statements parse`: what is read is printed as it is read, so that no file is too large. */
export async function parseStatements(shell: Shell, files: readonly string[], flags: ParseFlags): Promise<void> {
  if (flags.currency !== undefined && !currencies.includes(flags.currency)) {
    throw new CommandError('--currency: a currency of ISO 4217 is wanted, such as XOF', exitCodes.usage.code);
  }
  const mapping = flags.mapping === undefined ? undefined : await mappingOf(flags.mapping);
  if (flags.schema !== undefined) await checkedSchema(flags.schema);
  const write = (text: string): void => void shell.stdout.write(text);
  const printer: StatementPrinter = flags.json === true ? new JsonStatements(write) : new TextStatements(write);
  let unreadable = false;
  for (const file of files) {
    const named = (problem: PrintedProblem): PrintedProblem => (files.length > 1 ? { file, ...problem } : problem);
    try {
      await readFileTwice(file, await maker(file, flags, mapping), (part) => {
        if (part.part === 'problem') {
          const { code, message, at } = part.problem;
          printer.problem(named({ code, message, ...at }));
        } else printer.part(part);
      });
      if (flags.schema === undefined || !(await isXml(file))) continue;
      for (const { code, message, at } of await schemaProblems(createReadStream(file), flags.schema, (path) =>
        readFile(path),
      )) {
        printer.problem(named({ code, message, ...at }));
      }
    } catch (error) {
      unreadable = true;
      const problem = problemOf(error);
      printer.problem(named(problem));
      note(shell, `${file}: ${problem.message}`);
    }
  }
  printer.end();
  if (unreadable) shell.exitCode = exitCodes.failed.code;
  else if (printer.problemsCount > 0) shell.exitCode = READ_WITH_PROBLEMS;
}

/** Of `statements parse`, whose meaning of 2 is its own. */
const READ_WITH_PROBLEMS = 2;

function problemOf(error: unknown): PrintedProblem {
  if (error instanceof StatementUnreadableError) return { code: error.code, message: error.message, ...error.at };
  const { code, message } = error as { code?: unknown; message: string };
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return { code: 'FileUnreadable', message };
  throw error;
}

/**
 * Once to see whether it can be read to its end, and once to print: of a file that cannot, nothing is printed as if it
 * were all.
 */
async function readFileTwice(
  file: string,
  make: () => StatementReader,
  take: (part: StatementPart) => void,
): Promise<void> {
  for (const step of [() => undefined, take]) {
    const reader = make();
    for await (const bytes of createReadStream(file, { highWaterMark: 262_144 }) as AsyncIterable<Uint8Array>) {
      for (const part of reader.push(bytes)) step(part);
    }
    for (const part of reader.end()) step(part);
  }
}

async function maker(
  file: string,
  { format: wanted, currency, charset }: ParseFlags,
  mapping: CsvMapping | undefined,
): Promise<() => StatementReader> {
  const seen = await detected(file);
  const format = wanted ?? (mapping === undefined ? seen : 'csv');
  const start = { line: 1, column: 1 };
  if (format === undefined) {
    const hint = 'it is none of MT940, MT942, camt.052, camt.053, camt.054; for a CSV name a --mapping';
    throw new StatementUnreadableError('UnknownFormat', hint, start);
  }
  if (format === 'pain.002') {
    const what = 'a pain.002 is no statement: it says what became of payments that were sent';
    throw new StatementUnreadableError('NotAStatement', what, start);
  }
  const shown = format === 'mt940' || format === 'mt942' ? await charsetOf(file, charset) : charset;
  const options = {
    ...(currency === undefined ? {} : { currency }),
    ...(shown === undefined ? {} : { charset: shown }),
    ...(mapping === undefined ? {} : { mapping }),
  };
  return () => readerFor(format, options);
}

async function isXml(file: string): Promise<boolean> {
  return (await detected(file))?.startsWith('camt.') === true;
}

async function checkedSchema(path: string): Promise<void> {
  try {
    await checkSchema(await readFile(path));
  } catch (error) {
    const what = error instanceof SchemaUnusableError ? 'no XSD that can be used' : 'no file that can be read';
    throw new CommandError(`--schema: ${what}: ${path}`, exitCodes.usage.code);
  }
}

async function detected(file: string): Promise<ReturnType<typeof detectFormat>> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(DETECTION_BYTES), 0, DETECTION_BYTES, 0);
    return detectFormat(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** By all bytes of the file; undefined where the reader finds the same by itself, with its problem. */
async function charsetOf(file: string, configured: CharsetName | undefined): Promise<CharsetName | undefined> {
  if (configured !== undefined) return configured;
  const evidence = new CharsetEvidence();
  for await (const bytes of createReadStream(file) as AsyncIterable<Uint8Array>) evidence.push(bytes);
  const { charset, problem } = decideCharset(evidence.findings());
  return problem === undefined ? charset : undefined;
}

async function mappingOf(nameOrPath: string): Promise<CsvMapping> {
  const ready = readyMapping(nameOrPath);
  if (ready !== undefined) return ready;
  let text: string;
  try {
    text = await readFile(nameOrPath, 'utf8');
  } catch {
    const names = readyMappingNames.join(', ');
    throw new CommandError(`--mapping: no such file, and none of ${names}: ${nameOrPath}`, exitCodes.usage.code);
  }
  try {
    return csvMappingOf(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof CsvMappingError) && !(error instanceof SyntaxError)) throw error;
    throw new CommandError(`--mapping: ${error.message}`, exitCodes.usage.code);
  }
}
