import { expect, it } from 'vitest';
import { testProgram } from '../testing/program.ts';

it('help is of all commands, of one, or of an error', async () => {
  const { must, run } = await testProgram();
  expect(await must('help')).toContain('\n  lreg_gc ');
  expect(await must('help', 'lreg-gc')).toMatch(/^images lreg_gc /);
  expect(await must('help', 'NO_REGISTRY')).toContain('NO_REGISTRY');
  for (const name of ['lreg_gcc', 'NO_REGISTRI'])
    await expect(run('help', name), name).rejects.toMatchObject({ code: 'USAGE' });
});

it('the version is one line, or JSON with Node’s', async () => {
  const { must } = await testProgram();
  expect(await must('version')).toBe('1.2.3\n');
  expect(JSON.parse(await must('version', '--json'))).toEqual({ version: '1.2.3', node: process.versions.node });
});
