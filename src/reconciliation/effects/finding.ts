/** What matching can come to for a payment, a line, or both. */
export type FindingKind =
  'matched' | 'known' | 'reversed' | 'mismatch' | 'displaced' | 'missing_internal' | 'missing_provider' | 'reopened';

/** What matching has come to, when the core has done what follows from it, or refused to. */
export interface Finding {
  readonly profile: string;
  readonly kind: FindingKind;
  readonly refused: boolean;
}
