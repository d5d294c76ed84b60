/** The configuration cannot be right. Says where, and what to do; never what was written there, which may be a secret. */
export class ConnectorConfigError extends Error {
  override readonly name = 'ConnectorConfigError';
  readonly code = 'ConnectorConfig';
  /** Where in the document: `connectors[1].limits.requestTimeoutMs`. */
  readonly place: string;

  constructor(place: string, what: string, options?: ErrorOptions) {
    super(place === '' ? what : `${place}: ${what}`, options);
    this.place = place;
  }
}
