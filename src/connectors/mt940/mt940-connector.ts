import { statementKind } from '../statements/statement-connector.ts';

/** A bank that is known by its MT940 and MT942 alone. */
export const mt940Kind = statementKind('mt940');
