import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DocumentRule } from './contract.ts';
import { used } from './findings.ts';
import { imagesOf } from './images.ts';
import { pathOf } from './path.ts';
import { rulesWith } from './rules.ts';
import { scan } from './scan.ts';
import { scanFile } from './scan-file.ts';
import { visitsOf } from './walk.ts';

const machines: DocumentRule = {
  name: 'machines',
  matches: ({ value }) => (value as { kind?: unknown } | null)?.kind === 'Machine',
  *find(document) {
    for (const visit of visitsOf(document)) {
      if (visit.key === 'boots')
        yield used(`quay.io/vm/${visit.value}:1`, { document, path: pathOf(visit), rule: 'machines' });
    }
  },
};

const MACHINE = '# The tag is 1.\nkind: Machine\nspec:\n  boots: disk\n';
const rules = rulesWith({ documents: [machines] });

describe('rules of one’s own', () => {
  it('find images beside those of the program: in files, in texts inside files, in a file that is named', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'images-rules-'));
    try {
      const indented = MACHINE.replace(/^/gm, '    ').replace('disk', 'large');
      await writeFile(join(directory, 'machine.yaml'), MACHINE);
      await writeFile(join(directory, 'map.yaml'), `kind: ConfigMap\napiVersion: v1\ndata:\n  a.yaml: |\n${indented}`);
      await writeFile(
        join(directory, 'pod.yaml'),
        'kind: Pod\napiVersion: v1\nspec:\n  containers: [{name: a, image: "alpine:3"}]\n',
      );
      const found = await scan(directory, { rules });
      expect(imagesOf(found)).toEqual(['alpine:3', 'quay.io/vm/disk:1', 'quay.io/vm/large:1']);
      expect(found.findings.find(({ image }) => image === 'quay.io/vm/disk:1')).toEqual({
        image: 'quay.io/vm/disk:1',
        certainty: 'used',
        rule: 'machines',
        position: { file: 'machine.yaml', line: 4, path: 'spec.boots' },
      });
      expect(imagesOf(await scanFile('machine.yaml', Buffer.from(MACHINE), { rules }))).toEqual(['quay.io/vm/disk:1']);
      expect(imagesOf(await scan(directory))).toEqual(['alpine:3']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it.each(['matches', 'find'] as const)('that throw in %s are reported with file and line', async (member) => {
    const cause = new TypeError('no spec');
    const failing = (): never => {
      throw cause;
    };
    const { documents } = rulesWith({ documents: [{ ...machines, [member]: failing }] });
    const scanned = scanFile('machine.yaml', Buffer.from(`a: 1\n---\n${MACHINE}`), { rules: { ...rules, documents } });
    const error = await scanned.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^rule machines fails at machine.yaml:\d: no spec$/),
      cause,
    });
  });
});
