/**
 * The stream door's "no" to a topic, thrown by the iteration. `NotFound`: it is not there, or not for this caller to see.
 * `InvalidPosition`: the log has not reached `after`, so it is from another log: begin anew, without it. `UnknownTopic`: there
 * is no topic of that name. `TooManySubscriptions`: watch less. Expect codes that you do not know.
 */
export class WatchRefusal extends Error {
  override readonly name = 'WatchRefusal';
  readonly code: string;
  readonly topic: string;

  constructor(topic: string, code: string, message: string) {
    super(`${topic} cannot be watched: ${code}: ${message}`);
    this.code = code;
    this.topic = topic;
  }
}
