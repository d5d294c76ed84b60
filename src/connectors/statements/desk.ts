import { type BankStatementLine, type Metadata, NotSupportedError } from '../bank-connector.ts';
import type { StatementIntake } from './intake.ts';

/** Where connectors hand statements in, and get their lines back: the same place as every other way in. */
export interface StatementDesk {
  uploadStatement(profile: string, file: Buffer, meta: Metadata): Promise<{ imported_id: string }>;
  parseStatement(importedId: string): Promise<BankStatementLine[]>;
}

const pageLimit = 200;

export function deskOf(intake: StatementIntake): StatementDesk {
  const by = { actor: 'kora:connector', reason: 'asked through a connector' };
  return {
    async uploadStatement(profile, file, { bank_profile_id: meant, file_name: fileName }) {
      // A connector serves one bank.
      if (meant !== profile) throw new NotSupportedError(`this connector is of ${profile}, not of ${meant}`);
      async function* bytes(): AsyncGenerator<Uint8Array> {
        yield await Promise.resolve(file);
      }
      const { id } = await intake.receive(bytes(), { profile, origin: 'connector', fileName, by });
      return { imported_id: id };
    },
    async parseStatement(importedId) {
      await intake.import(importedId, by);
      const lines: BankStatementLine[] = [];
      let cursor: string | undefined;
      do {
        const page = { limit: pageLimit, ...(cursor !== undefined && { cursor }) };
        const { items, next } = await intake.lines(importedId, page, by);
        for (const { statementDate, amount, currency, fields } of items) {
          lines.push({
            statement_date: statementDate,
            amount: amount.toString(),
            currency,
            reference: fields.reference,
            ...(fields.bankReference !== '' && { provider_ref: fields.bankReference }),
          });
        }
        cursor = next;
      } while (cursor !== undefined);
      return lines;
    },
  };
}

/** Where nothing takes statements in. */
export const noDesk: StatementDesk = {
  uploadStatement: () => Promise.reject(new NotSupportedError('no statements are taken in here')),
  parseStatement: () => Promise.reject(new NotSupportedError('no statements are taken in here')),
};
