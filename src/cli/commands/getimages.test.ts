// How what is found is printed. What is found is tested in scan/ and tasks/overlays.
import { expect, it } from 'vitest';
import { testProgram } from '../testing/program.ts';

const POD = `apiVersion: v1
kind: Pod
metadata: { name: app }
spec:
  containers:
    - name: app
      image: quay.io/x/app:1
    - name: other
      image: alpine:3
`;

async function scanned() {
  const program = await testProgram();
  const file = await program.world.file('pod.yaml', POD);
  return { ...program, file, get: (...args: readonly string[]) => program.must('getimages', ...args, file) };
}

it('prints one image in each line', async () => {
  const { get } = await scanned();
  expect(await get()).toBe('alpine:3\nquay.io/x/app:1\n');
});

it('--why says where each is used', async () => {
  const { get } = await scanned();
  const rows = (await get('--why'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  expect(rows.map(([image, where]) => [image, where?.replace(/.*\//, '')]).sort()).toEqual([
    ['alpine:3', 'pod.yaml:9'],
    ['quay.io/x/app:1', 'pod.yaml:7'],
  ]);
  for (const row of rows) expect(row).toHaveLength(4);
});

it('--maybe has what is uncertain as well, with the reason', async () => {
  const { get } = await scanned();
  expect(await get('--maybe')).not.toContain('quay.io/x/app');
});

it('--json has all of it', async () => {
  const { get } = await scanned();
  const { images, warnings } = JSON.parse(await get('--json'));
  expect(images.find(({ image }: { image: string }) => image === 'quay.io/x/app:1').places).toMatchObject([
    { line: 7, rule: expect.any(String) },
  ]);
  expect(warnings).toEqual([]);
});
