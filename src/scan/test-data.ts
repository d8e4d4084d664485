// Directories with inputs and expected outputs of tests (Go's testdata, Jest's fixtures). Only tests read them; they are not deployed. Pure.
import type { Finding } from './contract.ts';

const TEST_DATA = /(?:^|\/)(?:testdata|__fixtures__|__snapshots__)\//;

/** Turns findings in test data into maybes. Other findings stay unchanged. */
export function doubtTestData(finding: Finding): Finding {
  if (finding.certainty === 'maybe' || !TEST_DATA.test(finding.position.file)) return finding;
  return { ...finding, certainty: 'maybe', reason: 'it is test data' };
}
