// The licences of the packages that are in a bundle: whoever hands on their code hands on these with it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** `output`: chunks as the bundler gives them. A package without a licence file is named with what its package.json says. */
export function licencesOf(output) {
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  const directories = new Set(modules.flatMap((id) => PACKAGE.exec(id)?.[1] ?? []));
  const texts = [...directories].map((directory) => {
    const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version}\n\n${file ? readFileSync(join(directory, file), 'utf8').trim() : license}\n`;
  });
  return texts.sort().join('\n----\n\n');
}
