import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { releaseSection } from '../../scripts/release/changelog.ts';
import { checkVersion, compareVersions, withVersion } from '../../scripts/release/version.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('the changelog of a release', () => {
  it('gets a section with what was unreleased, and an empty section for what comes next', () => {
    const before = '# Changelog\n\n## Unreleased\n### New\n* A.\n\n## 0.1.0 (2026-01-02)\n* Old.\n';
    expect(releaseSection(before, '0.2.0', '2026-03-04')).toEqual({
      changelog:
        '# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-03-04)\n### New\n* A.\n\n## 0.1.0 (2026-01-02)\n* Old.\n',
      notes: '### New\n* A.',
    });
  });

  it('is no release where nothing is unreleased, or the version is there', () => {
    expect(() => releaseSection('# Changelog\n', '1.0.0', '2026-03-04')).toThrow('has no "## Unreleased"');
    const empty = '## Unreleased\n\n## 0.2.0 (2026-01-02)\n* Old.\n';
    expect(() => releaseSection(empty, '0.3.0', '2026-03-04')).toThrow('says nothing');
    expect(() => releaseSection('## Unreleased\n* A.\n\n## 1.0.0 (x)\n', '1.0.0', '2026-03-04')).toThrow('already');
    expect(() => releaseSection('## Unreleased\n* A.\n\n## 1.0.0-rc.1 (x)\n', '1.0.0', '2026-03-04')).not.toThrow();
  });

  it("takes this project's own", () => {
    const { changelog } = releaseSection(
      `${read('CHANGELOG.md')}`.replace('## Unreleased\n', '## Unreleased\n* A.\n'),
      '9999.0.0',
      '2026-03-04',
    );
    expect(changelog).toContain('## Unreleased\n\n## 9999.0.0 (2026-03-04)\n* A.\n');
  });
});

describe('the version of a release', () => {
  it('comes after the one before, as semantic versions are ordered', () => {
    const order = [
      '0.9.0',
      '0.10.0',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-rc.2',
      '1.0.0-rc.10',
      '1.0.0',
    ];
    expect(order.toReversed().sort(compareVersions)).toEqual(order);
    expect(() => checkVersion('0.2.0', '0.1.0')).not.toThrow();
    for (const wrong of ['0.1.0', '0.0.9', '0.1.0-rc.1']) expect(() => checkVersion(wrong, '0.1.0')).toThrow('after');
    for (const wrong of ['v1.0.0', '1.0', '01.0.0', ''])
      expect(() => checkVersion(wrong, '0.1.0')).toThrow('not a version');
  });

  it('is written into the source that says it, and nowhere else', () => {
    const source = read('src/cli/process/version.ts');
    expect(withVersion(source, '9.8.7')).toBe(source.replace(/= '.*'/, "= '9.8.7'"));
    expect(() => withVersion('// nothing\n', '1.0.0')).toThrow('once');
  });
});
