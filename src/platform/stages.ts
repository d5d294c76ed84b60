/** What was started, to be stopped in the reverse order. */
export class Stages {
  readonly #stages: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
  #stopping: Promise<void> | undefined;

  /** @param name what stopping it means, for people: "requests at work are answered" */
  add(name: string, stop: () => Promise<void>): void {
    this.#stages.push({ name, stop });
  }

  /**
   * Stops everything, also what comes after a stage that fails. May be called twice.
   *
   * @param onStage told of each stage when it is done
   * @throws the first failure, when all are stopped
   */
  stop(onStage: (name: string) => void = () => undefined): Promise<void> {
    this.#stopping ??= this.#stopAll(onStage);
    return this.#stopping;
  }

  async #stopAll(onStage: (name: string) => void): Promise<void> {
    const failures: unknown[] = [];
    for (let stage = this.#stages.pop(); stage !== undefined; stage = this.#stages.pop()) {
      try {
        await stage.stop();
        onStage(stage.name);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Runs what starts things; when it fails, what was started is stopped again. */
export async function startedOrStopped<Result>(stages: Stages, start: () => Promise<Result>): Promise<Result> {
  try {
    return await start();
  } catch (error) {
    await stages.stop().catch(() => undefined);
    throw error;
  }
}
