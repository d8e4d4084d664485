import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { ownProgram } from './own-program.ts';

it('the program of this package is found from its own code', () => {
  const [program] = ownProgram();
  expect(program).toBe(resolve(import.meta.dirname, '../../../bin/images'));
  accessSync(program, constants.X_OK);
});

it('code of the library that was bundled elsewhere finds it where the package is installed', async () => {
  await using world = await temporaryWorld();
  const code = await world.file('app/dist/bundle.mjs', '');
  const missing = { code: 'CONFIG_INVALID', hint: expect.stringContaining('`program`') };
  expect(() => ownProgram(code)).toThrow(expect.objectContaining(missing));
  await world.file('app/node_modules/@images-oci/images/package.json', '{}');
  expect(ownProgram(code)).toEqual([join(world.path, 'app/node_modules/@images-oci/images/bin/images')]);
});
