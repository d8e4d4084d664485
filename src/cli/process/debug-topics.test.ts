import { describe, expect, it } from 'vitest';
import { DEBUG_TOPICS, debugTopics } from './debug-topics.ts';

describe('the topics of --debug', () => {
  it('are all topics if none is named, else the named ones', () => {
    for (const text of ['', 'all', '1', 'yes', 'http,all']) expect([...debugTopics(text)]).toEqual(DEBUG_TOPICS);
    expect([...debugTopics('copy, HTTP')]).toEqual(['copy', 'http']);
    expect([...debugTopics('0')]).toEqual([]);
  });

  it('are listed if one is unknown', () => {
    expect(() => debugTopics('http,stor')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: 'unknown topic of --debug [stor]',
        hint: expect.stringMatching(/^Did you mean store\? There are http, hosts, copy, build, scan, store, serve;/),
      }),
    );
    expect(() => debugTopics('constructor')).toThrow('unknown topic');
    expect(() => debugTopics('stor', '$IMAGES_DEBUG')).toThrow('unknown topic of $IMAGES_DEBUG [stor]');
  });
});
