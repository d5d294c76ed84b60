/** What is wrong with what the doors stand on: they say then that they should be sent nothing. */
export interface TroubleSource {
  /** Undefined: nothing is wrong. The reason is for everybody to read. */
  readonly current: { readonly reason: string } | undefined;
  /** What further commands are told, when it has been wrong for long; undefined: they are taken, and wait. */
  readonly refusal: string | undefined;
  /** Told when trouble begins and when it is over. @returns how to be told no more */
  onChange(listener: () => void): () => void;
}
