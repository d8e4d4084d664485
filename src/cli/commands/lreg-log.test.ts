import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testProgram } from '../testing/program.ts';

it('lreg_log prints the log for people, or as JSON', async () => {
  const { data, must, run } = await testProgram();
  await expect(run('lreg_log')).rejects.toMatchObject({ code: 'NO_REGISTRY' });
  await mkdir(join(data, 'images'), { recursive: true });
  const json = { time: '2026-11-30T23:00:01.000Z', level: 'warn', event: 'notice', message: 'nearly full' };
  const text = '2026-11-30T23:00:00.000Z serving';
  await writeFile(join(data, 'images/registry.log'), `${text}\n${JSON.stringify(json)}\n`);
  expect(await must('lreg_log')).toBe(`${text}\n2026-11-30T23:00:01.000Z WARNING: nearly full\n`);
  expect(await must('lreg_log', '--level=warn', '--json')).toBe(`${JSON.stringify(json)}\n`);
  expect(await must('lreg_log', '--lines=1', '--since=52w')).toContain('nearly full');
  const served = { time: '2026-11-30T23:00:00.000Z', level: 'info', message: 'serving' };
  expect(await must('lreg_log', '--json')).toContain(`${JSON.stringify(served)}\n`);
});

it.each(['--level=loud', '--since=soon', '--lines=0'])('lreg_log refuses %s', async (option) => {
  const { run } = await testProgram();
  await expect(run('lreg_log', option)).rejects.toMatchObject({ code: 'USAGE' });
});
