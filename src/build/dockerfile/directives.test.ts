import { describe, expect, it } from 'vitest';
import { detectSyntax } from './directives.ts';

describe('the frontend that a Dockerfile asks for', () => {
  it.each([
    ['# syntax=a/b:1', 'a/b:1'],
    ['#SYNTAX =  a/b:1   and more', 'a/b:1'],
    ['# escape=`\n# syntax=x', 'x'],
    ['\ufeff# syntax=x', 'x'],
    ['#!/usr/bin/env x\n# syntax=x', 'x'],
    ['// syntax=x\n{}', 'x'],
    ['#!/x\n//check=y\n//syntax=x', 'x'],
    ['{"syntax": "x", "y": 1}', 'x'],
    ['{"syntax": 1}', undefined],
    ['{"syntax": "x"', undefined],
    ['\n# syntax=x', undefined],
    ['# comment\n# syntax=x', undefined],
    ['FROM a\n# syntax=x', undefined],
  ])('in %j is %s', (text, expected) => expect(detectSyntax(text)).toBe(expected));
});
