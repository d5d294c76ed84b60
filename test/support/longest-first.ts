import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, in seconds as CI measured them. What is begun last decides how long one of the two workers has
 * nothing to do; vitest itself goes by the size of a file where it has not run before. A figure that is old costs time only.
 */
const secondsOf: Readonly<Record<string, number>> = {
  'test/simulation/mutants.test.ts': 75,
  'test/simulation/simulation.test.ts': 59,
  'test/stream/conformance.test.ts': 58,
  'test/bench/bench.test.ts': 58,
  'test/kurrentdb/outage.test.ts': 54,
  'test/cli/serve.test.ts': 50,
  'test/kurrentdb/product.test.ts': 48,
  'test/attacks/hostile-traffic.test.ts': 48,
  'test/statements/intake.test.ts': 47,
  'test/attacks/owasp-api-top-10.test.ts': 44,
  'test/statements/sftp.test.ts': 41,
  'test/cli/tools.test.ts': 38,
  'test/providers/product.test.ts': 35,
  'test/cluster/takeover.test.ts': 34,
  'test/sdk/client.test.ts': 29,
  'test/stream/exactly-once.test.ts': 28,
  'test/reconciliation/product.test.ts': 26,
  'test/kurrentdb/kurrent-log.test.ts': 24,
  'test/troubles/store-away.test.ts': 23,
  'test/platform/embedded-postgres-sharing.test.ts': 22,
  'test/identity/operator.test.ts': 20,
  'test/observability/traces.test.ts': 20,
  'test/observability/metrics.test.ts': 20,
  'test/backup/backup-and-restore.test.ts': 20,
  'test/demo/demo.test.ts': 19,
  'test/replay/whole-history.test.ts': 18,
  'test/chaos/chaos.test.ts': 17,
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const seconds = ({ moduleId }: TestSpecification): number => secondsOf[moduleId.slice(root.length + 1)] ?? 0;
    return (await super.sort(files)).sort((a, b) => seconds(b) - seconds(a));
  }
}
