// The program's entry: checks the Node version, turns the compile cache on, then loads the rest. An old Node must be able to read this file, so it imports no names.
import * as nodeModule from 'node:module';
import { cacheDirectory } from './process/cache-directory.ts';

const OLDEST_NODE = [22, 19] as const;

await start();

async function start(): Promise<void> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    process.stderr.write(
      `ERROR: images needs Node ${OLDEST_NODE.join('.')} or newer [this is ${process.versions.node}]\n` +
        'Install a newer Node, or run `npm ci` in the checkout: it brings its own.\n',
    );
    process.exit(1);
  }
  // Maps are read for what is loaded from here on, and only where somebody may see a stack.
  if (isForDebugging()) process.setSourceMapsEnabled(true);
  const cache = cacheDirectory(process.env);
  // Node's own choice would be a directory that all users share.
  if (cache !== undefined) nodeModule.enableCompileCache(`${cache}/compile`);
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv.slice(2), cache);
}

/** Without reading the line: what is a value of another option costs some time, and no more. */
function isForDebugging(): boolean {
  return Boolean(process.env.IMAGES_DEBUG) || process.argv.some((word) => /^--(?:verbose|debug)(?:=|$)/.test(word));
}
