import { ConfigError } from './platform/config.ts';
import type { KoraConfig } from './platform/kora-config.ts';
import { caseTermsOf } from './reconciliation/index.ts';

/**
 * What is set for cases: KORA_FOUR_EYES_ABOVE, KORA_CASE_DUE_DAYS. Only reconciliation knows which kinds there are.
 *
 * @throws ConfigError where it is something else
 */
export function caseTermsFrom(
  config: Pick<KoraConfig, 'fourEyesAbove' | 'caseDueDays'>,
): ReturnType<typeof caseTermsOf> {
  try {
    return caseTermsOf(config);
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
