/** Someone else serves this data folder. Raised only when another process holds the instance lock, never because of a stale file. */
export class InstanceRunningError extends Error {
  readonly code = 'InstanceRunning';
  readonly dataDir: string;
  /** What the holder calls itself, such as `kora instance 4711`. */
  readonly holder: string;

  constructor(dataDir: string, holder: string) {
    super(
      `another kora already serves the data folder ${dataDir} (${holder}): ` +
        `stop that process first, or give this one a folder of its own with --data-dir`,
    );
    this.name = 'InstanceRunningError';
    this.dataDir = dataDir;
    this.holder = holder;
  }
}

/** The embedded Postgres cannot be prepared, started or stopped. The message says what to do, or shows the end of its log. */
export class EmbeddedPostgresError extends Error {
  readonly code = 'EmbeddedPostgres';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
  }
}

/** The database was migrated by a newer build than this one: writing to it could break what that build relies on. */
export class SchemaTooNewError extends Error {
  readonly code = 'SchemaTooNew';

  constructor(unknown: { module: string; number: number; name: string }[]) {
    const names = unknown.map((migration) => `${migration.module}/${migration.name}`).join(', ');
    super(`the database has migrations that this build of kora does not know (${names}): run a newer kora`);
    this.name = 'SchemaTooNewError';
  }
}

/** A migration is not what it should be: changed after it was applied, misnamed, or out of sequence. */
export class MigrationError extends Error {
  readonly code = 'Migration';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MigrationError';
  }
}

/** The database lacks roles of kora's modules, and the user who migrates may not make them. */
export class MissingRolesError extends Error {
  readonly code = 'MissingRoles';

  constructor(user: string, statements: readonly string[], options?: ErrorOptions) {
    super(
      `the database user ${user} may not make the roles of kora's modules: ` +
        `let it create roles (alter role ${user} createrole), or let an administrator run:\n` +
        statements.map((statement) => `  ${statement};`).join('\n'),
      options,
    );
    this.name = 'MissingRolesError';
  }
}
