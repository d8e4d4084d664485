// Dockerfiles with their expected parse trees beside them, one line for each instruction. IMAGES_GOLDEN=write rewrites the trees: review them before you commit.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../src/build/dockerfile/instructions.ts';
import { parseDockerfile } from '../../src/build/dockerfile/parse.ts';

const DIRECTORY = join(import.meta.dirname, 'dockerfile');
const names = readdirSync(DIRECTORY)
  .filter((file) => file.endsWith('.dockerfile'))
  .map((file) => file.slice(0, -'.dockerfile'.length));

describe('parsing a Dockerfile', () => {
  it.each(names)('gives the expected result: %s', (name) => {
    const text = readFileSync(join(DIRECTORY, `${name}.dockerfile`), 'utf8');
    const file = join(DIRECTORY, `${name}.tree`);
    const tree = treeOf(text);
    if (process.env.IMAGES_GOLDEN === 'write') writeFileSync(file, tree);
    expect(tree).toBe(readFileSync(file, 'utf8'));
  });

  it('is tested with a number of files', () => expect(names.length).toBeGreaterThan(10));
});

function treeOf(text: string): string {
  const { escapeToken, directives, instructions, warnings } = parseDockerfile('Dockerfile', text);
  return [
    ...directives.map(({ name, value, line }) => `${line} # ${name}=${value}`),
    ...(escapeToken === '\\' ? [] : [`escape ${escapeToken}`]),
    ...instructions.map(lineOf),
    ...warnings.map(({ line, rule }) => `${line} warning ${rule}`),
    '',
  ].join('\n');
}

function lineOf(instruction: Instruction): string {
  const { name, keyword: _, range, statement: __, comments, ...fields } = instruction;
  return `${range.first}-${range.last} ${name} ${shown({ ...fields, ...(comments.length > 0 && { comments }) })}`;
}

/** Leaves out defaults, and positions, which the property tests check. */
function shown(fields: object): string {
  const { kind: _, ...rest } = fields as Record<string, unknown>;
  return JSON.stringify(rest, (key, value) => {
    if (key === 'at' || key === 'length' || value === undefined || value === false) return undefined;
    if (Array.isArray(value) && value.length === 0 && key !== 'args') return undefined;
    if (key === 'trigger') return lineOf(value as Instruction);
    if (typeof value === 'object' && value !== null && Object.keys(value).sort().join() === 'at,text') return value.text;
    return value;
  });
}
