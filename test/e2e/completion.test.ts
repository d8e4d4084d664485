// The completion scripts in their shells, with `images` as an alias, as in the README.
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
      // bash splits words at = and :, and wants only the text after the last of these.
      "COMP_WORDBREAKS=$' \t\n\"\\'><=;|&(:'; mkdir -p lay/out lay/other",
      `at() { COMP_LINE=$1 COMP_POINT=\${#1}; _images; echo "\${COMPREPLY[*]}"; }`,
      "at 'images make --format=o'; at 'images copy oci:lay/o'; at 'images inspect docker-a'; at 'images lreg_stop --data=la'",
    ].join('\n');
    expect((await must('bash', ['--norc', '-c', script], { ...world, cwd: world.path })).split('\n')).toEqual([
      'lreg_isloaded',
      '--keep-going',
      'oci-archive',
      expect.stringMatching(/^lay\/(out lay\/other|other lay\/out)$/),
      'docker-archive:',
      'lay',
      '',
    ]);
  });

  const zsh = needs('zsh');
  it.skipIf(zsh.missing)(`works in zsh, which knows no aliases while it completes${zsh.why}`, async () => {
    await using world = await newWorld();
    const script = [
      `alias images='$(echo ${program})'`,
      `compdef() { print compdef "$@" }; compadd() { print -r -- "$@"; (( \${#shown} )) && print -r -- "\${shown[@]}" }; compset() { print compset "$@" }; _files() { print files "$@" }`,
      `eval "$(${program} completion zsh)"`,
      'unsetopt aliases',
      'words=(images lreg-isl) CURRENT=2; _images',
      'words=(images lreg_preload --ke) CURRENT=3; _images',
      'words=(images lreg_preload --pl) CURRENT=3; _images',
      'words=(images lreg_start --data=/x) CURRENT=3; _images',
      'words=(images ls oci:x) CURRENT=3; _images',
      "words=(images completion '') CURRENT=3; _images",
    ].join('\n');
    expect(await must('zsh', ['-f', '-c', script], world)).toBe(
      [
        'compdef _images images',
        '-l -d shown -- lreg_isloaded',
        'lreg_isloaded -- Tell whether the private registry holds an image',
        '-l -d shown -- --keep-going',
        '--keep-going -- Go on after a failure; list all failures at the end and exit 1',
        '-S  -l -d opened -- --platform=',
        'compset -P --data=',
        'files -/',
        'compset -P oci:',
        'files -/',
        '-l -d shown -- bash zsh fish',
        'bash zsh fish',
        '',
      ].join('\n'),
    );
  });

  it.skipIf(zsh.missing)(`works in zsh even if compinit was not run before${zsh.why}`, async () => {
    await using world = await newWorld();
    const script = `eval "$(${program} completion zsh)"; print $_comps[images]`;
    expect(await must('zsh', ['-f', '-c', script], world)).toBe('_images\n');
  });

  const fish = needs('fish');
  it.skipIf(fish.missing)(`works in fish${fish.why}`, async () => {
    await using world = await newWorld();
    const script = [
      `alias images=${program}`,
      'images completion fish | source; mkdir -p lay/out',
      'for line in "images lreg-isl" "images lreg_preload --ke" "images completion " "images copy oci:lay/o"; complete -C$line; end',
    ].join('\n');
    expect(await must('fish', ['--no-config', '-c', script], { ...world, cwd: world.path })).toBe(
      [
        'lreg_isloaded\tTell whether the private registry holds an image',
        '--keep-going\tGo on after a failure; list all failures at the end and exit 1',
        'bash',
        'fish',
        'zsh',
        'oci:lay/out/\tDirectory',
        '',
      ].join('\n'),
    );
  });
});
