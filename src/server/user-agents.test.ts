import { expect, it } from 'vitest';
import { userAgents } from './user-agents.ts';

it('the name of a client is one short line without secrets', () => {
  const safe = userAgents();
  expect(safe('containerd/2.0.1')).toBe('containerd/2.0.1');
  expect(safe('a\tb\u202ec')).toBe('a b c');
  expect(safe('x https://me:secret@example.com/')).not.toContain('secret');
  expect(safe('y'.repeat(60_000)).length).toBe(120);
});

it('names that are always others take no memory', () => {
  const safe = userAgents();
  for (let at = 0; at < 1000; at++) expect(safe(`client/${at}`)).toBe(`client/${at}`);
});
