// The completion scripts, run by the shells that they are for; `images` being an alias, as the README has it.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld, ROOT } from '../peers/program.ts';

const program = join(ROOT, 'bin/images');

describe('completion', () => {
  const bash = needs('bash');
  it.skipIf(bash.missing)(`works in bash${bash.why}`, async () => {
    await using world = await newWorld();
    const script = [
      `shopt -s expand_aliases; alias images=${program}`,
      `eval "$(${program} completion bash)"`,
      'COMP_WORDS=(images lreg-isl); COMP_CWORD=1; _images; echo "$COMPREPLY"',
      'COMP_WORDS=(images lreg_preload --ke); COMP_CWORD=2; _images; echo "$COMPREPLY"',
    ].join('\n');
    expect(await must('bash', ['--norc', '-c', script], world)).toBe('lreg_isloaded\n--keep-going\n');
  });

  const zsh = needs('zsh');
  it.skipIf(zsh.missing)(`works in zsh, which knows no aliases while it completes${zsh.why}`, async () => {
    await using world = await newWorld();
    const script = [
      `alias images='$(echo ${program})'`,
      'compdef() { print compdef "$@" }; compadd() { print -r -- "$@" }; compset() { print compset "$@" }; _files() { print files "$@" }',
      `eval "$(${program} completion zsh)"`,
      'unsetopt aliases',
      'words=(images lreg-isl) CURRENT=2; _images',
      'words=(images lreg_preload --ke) CURRENT=3; _images',
      'words=(images lreg_preload --pl) CURRENT=3; _images',
      'words=(images lreg_start --data=/x) CURRENT=3; _images',
      "words=(images completion '') CURRENT=3; _images",
    ].join('\n');
    expect(await must('zsh', ['-f', '-c', script], world)).toBe(
      [
        'compdef _images images',
        '-- lreg_isloaded',
        '-- --keep-going',
        '-S  -- --platform=',
        'compset -P --*=',
        'files -/',
        '-- bash zsh fish',
        '',
      ].join('\n'),
    );
  });

  it.skipIf(zsh.missing)(`is set up in zsh also where compinit was not run before${zsh.why}`, async () => {
    await using world = await newWorld();
    const script = `eval "$(${program} completion zsh)"; print $_comps[images]`;
    expect(await must('zsh', ['-f', '-c', script], world)).toBe('_images\n');
  });

  const fish = needs('fish');
  it.skipIf(fish.missing)(`works in fish${fish.why}`, async () => {
    await using world = await newWorld();
    const script = [
      `alias images=${program}`,
      'images completion fish | source',
      'for line in "images lreg-isl" "images lreg_preload --ke" "images completion "; complete -C$line; end',
    ].join('\n');
    expect(await must('fish', ['--no-config', '-c', script], world)).toBe(
      'lreg_isloaded\n--keep-going\nbash\nfish\nzsh\n',
    );
  });
});
