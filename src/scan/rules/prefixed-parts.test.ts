import { describe, expect, it } from 'vitest';
import { maybeIn, scanText, usedIn } from '../testing/scan-files.ts';

describe('parts that share a stem', () => {
  it.each([
    ['web_image_repo: quay.io/a/web\n  web_image_tag: v1', 'quay.io/a/web:v1'],
    ['webImageRepository: a/web\n  webImageRegistry: quay.io\n  webImageTag: 1.20', 'quay.io/a/web:1.20'],
  ])('are one image: %s', (spec, image) => {
    expect(usedIn(`apiVersion: example.com/v1\nkind: Thing\nspec:\n  ${spec}\n`)).toEqual([image]);
  });

  it('may be variables that name others', () => {
    const text =
      'quay_image_repo: quay.io\nx_version: 1.2\nx_image_repo: "{{ quay_image_repo }}/a/x"\nx_image_tag: "v{{ x_version }}"\n';
    expect(maybeIn(text)).toEqual(['quay.io/a/x:v1.2']);
    expect(usedIn(text)).toEqual([]);
  });

  it('that only a run of Ansible decides are counted in one warning', () => {
    const one = (name: string) => `${name}_image_repo: quay.io/a/${name}\n${name}_image_tag: "{{ tags['${name}'] }}"\n`;
    const { findings, warnings } = scanText(['a', 'b', 'c', 'd', 'e', 'f'].map(one).join(''));
    expect(findings).toEqual([]);
    expect(warnings.map(({ line, text }) => `${line} ${text}`)).toEqual([
      '1 a_image_repo: 6 images are put together when a play or a template runs [a_image_repo, b_image_repo, c_image_repo, d_image_repo, e_image_repo, …]',
    ]);
  });

  it('that name themselves come to an end', () => {
    const text = 'a_image_repo: "{{ a_image_repo }}{{ a_image_repo }}"\na_image_tag: v1\n';
    expect(scanText(text).findings).toEqual([]);
  });
});
