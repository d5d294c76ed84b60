/** What an error says. Node gives one without a message when every address of a host refuses; then its first reason counts. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first === undefined ? error.name : sentenceOf(first);
}
