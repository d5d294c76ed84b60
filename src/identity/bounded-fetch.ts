/** A discovery document has some kB, a set of keys some tens. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/**
 * As `fetch`, but for answers that are all there when it resolves, and are not larger than any that is honest: whoever
 * answers without end must not fill the memory until the time is over.
 *
 * @throws RangeError where it is larger; otherwise what `fetch` throws
 */
export async function boundedFetch(url: string, options: RequestInit): Promise<Response> {
  const answer = await fetch(url, options);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early ends the connection.
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new RangeError(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  const { status, statusText, headers } = answer;
  return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, statusText, headers });
}
