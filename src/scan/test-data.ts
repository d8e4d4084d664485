// Directories that hold what tests are fed with and what they expect (Go's testdata, Jest's): a test reads it, no cluster does. Pure.
import type { Finding } from './contract.ts';

const TEST_DATA = /(?:^|\/)(?:testdata|__fixtures__|__snapshots__)\//;

/** The same findings; what stands in test data is a maybe. */
export function doubtTestData(finding: Finding): Finding {
  if (finding.certainty === 'maybe' || !TEST_DATA.test(finding.place.file)) return finding;
  return { ...finding, certainty: 'maybe', reason: 'it is test data' };
}
