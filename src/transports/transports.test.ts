import { describe, expect, it } from 'vitest';
import { isImagesError } from '../oci/errors.ts';
import { formatLocation, locate, parseLocation } from './location.ts';
import type { Transport } from './transport.ts';
import { prefixOf, TRANSPORTS, transportNamed, transportOf } from './transports.ts';

/** One location of each transport, as a user writes it. */
const EXAMPLES: Readonly<Record<string, string>> = {
  docker: 'docker://quay.io/x/y:1',
  'docker-daemon': 'docker-daemon:x/y:1',
  'docker-archive': 'docker-archive:images.tar:x/y:1',
  oci: 'oci:layout:1',
  'oci-archive': 'oci-archive:images.tar:@0',
  dir: 'dir:somewhere',
  'containers-storage': 'containers-storage:[/var/lib/containers/storage]x/y:1',
};

describe('the table of transports', () => {
  it('has names of its own for each, and says how it is written', () => {
    expect(new Set(TRANSPORTS.map(({ name }) => name)).size).toBe(TRANSPORTS.length);
    for (const transport of TRANSPORTS) {
      expect(transport.form.startsWith(prefixOf(transport)), transport.name).toBe(true);
      expect(transport.usage.startsWith(prefixOf(transport)), transport.name).toBe(true);
      expect(transportNamed(transport.name)).toBe(transport);
    }
  });

  it.each(TRANSPORTS.map((transport) => [transport.name, transport] as const))('parses and writes %s', (name, line) => {
    const text = EXAMPLES[name] ?? `${prefixOf(line)}x`;
    const location = parseLocation(text);
    expect(location.transport).toBe(name);
    expect(formatLocation(location)).toBe(text);
    if (location.transport === 'name' || location.transport === 'id') throw new Error('it is bare');
    expect(transportOf(location)).toBe(line);
  });

  it('opens each in at least one direction, and says what writes where no sink does', () => {
    for (const { name, openSource, openSink, insteadOfSink } of TRANSPORTS) {
      expect(openSource ?? openSink, name).toBeDefined();
      expect(openSink === undefined, name).toBe(insteadOfSink !== undefined);
    }
  });

  it('takes a transport of one’s own before its own, and only what has a colon', () => {
    const own: Transport = { name: 'oci' };
    expect(locate('oci:a:b', [own])).toEqual({ own, details: 'a:b' });
    expect(formatLocation(locate('oci:a:b', [own]))).toBe('oci:a:b');
    expect(locate('alpine', [{ name: 'alpine' }]).transport).toBe('name');
    expect(locate('oci:a:b').transport).toBe('oci');
  });

  it('is what an error lists', () => {
    const failure = (() => {
      try {
        return parseLocation('oci-archiv:x');
      } catch (error) {
        return error;
      }
    })();
    expect(isImagesError(failure) && failure.hint).toBe(`Write ${transportNamed('oci-archive')?.form}.`);
  });
});
