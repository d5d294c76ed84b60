// A door that goes around the face.
import { balance } from '../../ledger/inside.ts';

export const peeping = balance;
