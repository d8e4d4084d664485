import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNextLink } from './link-header.ts';

describe('the next page', () => {
  it.each([
    ['</v2/_catalog?last=b&n=2>; rel="next"', '/v2/_catalog?last=b&n=2'],
    ['<https://quay.io/v2/x/tags/list?next_page=a,b;c>;rel=next', 'https://quay.io/v2/x/tags/list?next_page=a,b;c'],
    ['</a>; rel="prev", </b>; title="x, y"; REL="start Next"', '/b'],
    ['/v2/x/tags/list?n=1&last=1; rel="next"', '/v2/x/tags/list?n=1&last=1'],
    ['</a>; rel="prev", ?last=b;rel=next', '?last=b'],
    ['</a?last=b>', '/a?last=b'],
    ['</a>; rel="next";', '/a'],
  ])('of %j is %j', (header, target) => {
    expect(parseNextLink(header)).toEqual({ type: 'next', target });
  });

  it.each([['</a>; rel="prev"'], ['</a>; rel=first, </b>; rel="last"'], [''], ['  '], [undefined]])(
    'does not exist in %j',
    (header) => {
      expect(parseNextLink(header)).toEqual({ type: 'none' });
    },
  );

  it.each([['</a'], ['</a>; rel="next'], ['"/a"; rel=next'], ['</a>, </b>'], ['/a?last=b,c; rel="next"'], ['a b']])(
    'counts as possible in %j',
    (header) => {
      expect(parseNextLink(header).type).not.toBe('none');
    },
  );

  it('is found behind any other links', () => {
    const target = fc.stringMatching(/^[a-z/?=&,;.]{0,20}$/);
    fc.assert(
      fc.property(fc.array(target), target, (others, next) => {
        const header = [...others.map((each) => `<${each}>; rel="prev"`), `<${next}>; rel="next"`].join(', ');
        expect(parseNextLink(header)).toEqual({ type: 'next', target: next });
      }),
    );
  });

  it('never throws, whatever the header', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'<>;,="relnext '), maxLength: 200 }), (text) => {
        const next = parseNextLink(text);
        expect(next.type !== 'next' || text.includes(next.target)).toBe(true);
      }),
    );
  });
});
