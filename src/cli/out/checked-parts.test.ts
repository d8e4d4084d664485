import { expect, it } from 'vitest';
import { partText } from './checked-parts.ts';
import { warningLine } from './scan-warning.ts';

it('a part is a line, with its problems and notes below', () => {
  expect(partText({ what: 'config', digest: 'sha256:a', problems: [] })).toBe('ok    config sha256:a\n');
  expect(partText({ what: 'layer 1', problems: ['one', 'two'], notes: ['old'] })).toBe(
    'WRONG layer 1\n      one\n      two\n      note: old\n',
  );
});

it('a warning says where it is from, as far as that is known', () => {
  expect(warningLine({ file: 'a.yaml', line: 3, text: 'odd' })).toBe('WARNING: a.yaml:3: odd');
  expect(warningLine({ file: 'a.yaml', text: 'odd' })).toBe('WARNING: a.yaml: odd');
});
