import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNextLink } from './link-header.ts';

describe('the next page', () => {
  it.each([
    ['</v2/_catalog?last=b&n=2>; rel="next"', '/v2/_catalog?last=b&n=2'],
    ['<https://quay.io/v2/x/tags/list?next_page=a,b;c>;rel=next', 'https://quay.io/v2/x/tags/list?next_page=a,b;c'],
    ['</a>; rel="prev", </b>; title="x, y"; REL="start Next"', '/b'],
    ['</a>; rel="prev"', undefined],
    ['</a>', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %j is %j', (header, expected) => {
    expect(parseNextLink(header)).toBe(expected);
  });

  it('is found behind any other links', () => {
    const target = fc.stringMatching(/^[a-z/?=&,;.]{0,20}$/);
    fc.assert(
      fc.property(fc.array(target), target, (others, next) => {
        const header = [...others.map((each) => `<${each}>; rel="prev"`), `<${next}>; rel="next"`].join(', ');
        expect(parseNextLink(header)).toBe(next);
      }),
    );
  });

  it('is looked for without throwing in anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'<>;,="relnext '), maxLength: 200 }), (text) => {
        const next = parseNextLink(text);
        expect(next === undefined || text.includes(`<${next}>`)).toBe(true);
      }),
    );
  });
});
