import { expect, it } from 'vitest';
import { isImagesError } from '../oci/errors.ts';
import * as tasks from './index.ts';

/** Public functions that are no tasks: their types must do. */
const HELPERS: ReadonlySet<string> = new Set<keyof typeof tasks>([
  'describeImage',
  'flatNames',
  'isImagePattern',
  'keepLogSmall',
  'layerId',
  'layerTree',
  'listPath',
  'logSettings',
  'nodeOutput',
  'nodeTar',
  'noSuchPath',
  'notLoaded',
  'parseCompression',
  'requirePath',
  'requireReferences',
  'selectLayer',
  'withoutQuotes',
]);

const entries = Object.entries(tasks).flatMap(([name, value]) =>
  typeof value === 'function' && !HELPERS.has(name) ? [[name, value as (...args: unknown[]) => unknown] as const] : [],
);

/** What is read step by step tells it at the first one. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    const result = Object(await call());
    return Symbol.asyncIterator in result ? await result[Symbol.asyncIterator]().next() : result;
  } catch (error) {
    return error;
  }
}

it.each(entries)('%s names the argument that is wrong', async (_, task) => {
  for (const wrong of [42, undefined, null, [42]]) {
    const error = await errorOf(() => task(wrong, wrong, wrong, wrong));
    expect(isImagesError(error, 'USAGE') && error.message).toMatch(/^the argument \w+[.\w[\]]* is not an? /);
  }
});

it('of the arguments, the first wrong one is named, with its member', async () => {
  const settings = { env: {}, home: '/', uid: 1, temporaryDirectory: '/tmp' };
  const copy = (ends: unknown, given: unknown) => errorOf(() => tasks.copyImage(ends as never, given as never));
  expect(await copy({ from: 'a' }, settings)).toMatchObject({
    message: 'the argument ends.to is not a string [undefined]',
  });
  expect(await copy({ from: 'a', to: 'b' }, { ...settings, env: undefined })).toMatchObject({
    message: 'the argument settings.env is not an object [undefined]',
  });
});
