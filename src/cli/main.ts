// The program's entry: checks the Node version, turns the compile cache on, then loads the rest. It imports no names, because an old Node must be able to load this file.
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
  // Source maps are read only for code loaded from here on, and only if a stack may be shown.
  if (isForDebugging()) process.setSourceMapsEnabled(true);
  const cache = cacheDirectory(process.env);
  // Node's default would be a directory shared by all users.
  if (cache !== undefined) nodeModule.enableCompileCache(`${cache}/compile`);
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv.slice(2), cache);
}

/** A quick look at the words without parsing. A false positive, such as the value of another option, only costs some time. */
function isForDebugging(): boolean {
  return Boolean(process.env.IMAGES_DEBUG) || process.argv.some((word) => /^--(?:verbose|debug)(?:=|$)/.test(word));
}
