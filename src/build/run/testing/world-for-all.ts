// The set-up of a file of tests of RUN: one world and its users for all of them, and a RUN of a script as one of the users.
import { afterAll, beforeAll } from 'vitest';
import {
  type Driven,
  type DriveSpec,
  newRunWorld,
  provideUsers,
  type RunWorld,
  type Users,
  type Who,
} from './world.ts';

/** Each kind of user that a RUN can be started by, as titles of tests name them. */
export const USERS = ['root', 'a user with subordinate ids', 'nobody'] as const;

export type Title = (typeof USERS)[number];

/** Absent layers are those of busybox. */
export type ShellSpec = Partial<Omit<DriveSpec, 'request'>> & { readonly request?: Partial<DriveSpec['request']> };

export interface Shells {
  who(title: Title): Who;
  /** Runs the script with `sh -c`. */
  sh(title: Title, script: string, spec?: ShellSpec): Promise<Driven>;
}

/** `take` gets the world before the first test; further `beforeAll` may use it. */
export function worldForAll(take: (world: RunWorld) => unknown = () => {}): Shells {
  let world: RunWorld;
  let users: Users;
  beforeAll(async () => {
    [world, users] = [await newRunWorld(), await provideUsers()];
    take(world);
  });
  afterAll(async () => {
    await users?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });
  const who = (title: Title) => users.all.find((user) => user.title === title) as Who;
  return {
    who,
    sh: (title, script, { request, ...spec } = {}) =>
      world.drive(who(title), {
        layers: [world.busybox],
        ...spec,
        request: { args: ['/bin/sh', '-c', script], ...request },
      }),
  };
}
