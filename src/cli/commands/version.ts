// `images version`, `images --version`.
import type { Run } from '../command.ts';

export const run: Run = async ({ context }) => {
  await context.out(`${context.version}\n`);
  return 0;
};
