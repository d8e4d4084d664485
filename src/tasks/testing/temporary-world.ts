// A user's world for tests of tasks: settings with temporary directories only, and recorded notes.
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { quickTmpdir } from '../../../test/testing/quick-directory.ts';
import type { Settings } from '../settings.ts';

export interface TemporaryWorld extends AsyncDisposable {
  readonly path: string;
  readonly notes: string[];
  settings(env?: Readonly<Record<string, string>>, more?: Partial<Settings>): Settings;
  /** Makes a file and its parent directories. */
  file(name: string, text: string): Promise<string>;
  /** Makes an executable shell script. */
  script(name: string, body: string): Promise<string>;
}

const LONG_AGO = new Date('2026-01-01');

/** The directories that are there: a test disposes of its world, unless what makes its scene fails, as it sometimes has to. */
const there = new Set<string>();
afterAll(() => Promise.all([...there].map(remove)));

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  there.delete(path);
}

export async function temporaryWorld(): Promise<TemporaryWorld> {
  const path = await mkdtemp(join(quickTmpdir, 'images-tasks-'));
  there.add(path);
  const notes: string[] = [];
  const file = async (name: string, text: string) => {
    const target = join(path, name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    // A configuration that changed a moment ago is waited for, because it may not be whole.
    if (basename(name) === 'registry.toml') await utimes(target, LONG_AGO, LONG_AGO);
    return target;
  };
  return {
    path,
    notes,
    settings: (env = {}, more = {}) => ({
      env: {
        PATH: process.env.PATH,
        XDG_DATA_HOME: join(path, 'share'),
        IMAGES_RUNTIME: path,
        DOCKER_HOST: `unix://${path}/no-docker.sock`,
        ...env,
      },
      home: path,
      uid: process.getuid?.() ?? 0,
      temporaryDirectory: tmpdir(),
      onNote: (note) => notes.push(note),
      ...more,
    }),
    file,
    script: async (name, body) => {
      const target = await file(name, `#!/bin/sh\n${body}\n`);
      await chmod(target, 0o755);
      return target;
    },
    [Symbol.asyncDispose]: () => remove(path),
  };
}
