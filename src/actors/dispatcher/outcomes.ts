import type { InstructionOutcome } from '../../machines/commands.ts';
import type { SendAnswer, StatusAnswer } from './ports.ts';

/** What an answer to the sending of an instruction says of it. */
export function outcomeOfAnswer(answer: SendAnswer): InstructionOutcome {
  switch (answer.outcome) {
    case 'accepted': {
      const { providerRef, status, providerFee } = answer;
      if (status === 'pending') return { said: 'accepted', providerRef };
      return { said: 'confirmed', providerRef, ...feeOf(providerFee) };
    }
    case 'refused':
      return { said: 'refused', code: answer.code, elsewhere: answer.elsewhere };
    case 'unknown':
      return { said: 'unknown', reason: answer.reason };
    case 'not_sent':
      return { said: 'not sent', reason: answer.reason };
  }
}

/** What an answer to a question says; undefined: nothing that could be written down. */
export function outcomeOfStatus(
  answer: Exclude<StatusAnswer, { status: 'not_found' }>,
): InstructionOutcome | undefined {
  switch (answer.status) {
    case 'pending':
      return { said: 'accepted', providerRef: answer.providerRef };
    case 'confirmed':
    case 'settled': {
      const { status, providerRef, providerFee } = answer;
      return { said: status, providerRef, ...feeOf(providerFee) };
    }
    case 'refused':
      return { said: 'refused', code: answer.code, elsewhere: answer.elsewhere };
    case 'unknown':
      return undefined;
  }
}

function feeOf(providerFee: string | undefined): { readonly providerFee?: bigint } {
  return providerFee === undefined ? {} : { providerFee: BigInt(providerFee) };
}
