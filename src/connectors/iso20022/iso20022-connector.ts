import { statementKind } from '../statements/statement-connector.ts';

/** A bank that is known by its camt.05x: statements so far, no pain.001. */
export const iso20022Kind = statementKind('iso20022');
