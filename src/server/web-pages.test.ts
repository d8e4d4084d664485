// Which requests come from a web page of another origin, judged by the headers that browsers and programs send.
import { describe, expect, it } from 'vitest';
import { isPageOfElsewhere } from './web-pages.ts';

const NAMES = ['registry.lan'];
const PAGE = 'http://attacker.example';

describe('a program that is no browser', () => {
  it.each([
    ['docker, podman', { host: '127.0.0.1:5000' }],
    ['a VM that asks for another host', { host: 'docker.io' }],
    [
      'skopeo, led here by a redirect',
      { host: 'registry.example:5000', referer: 'http://front.example/v2/a/blobs/uploads/' },
    ],
    [
      'fetch of Node',
      { host: 'registry.example', 'sec-fetch-mode': 'cors', 'accept-language': '*', 'user-agent': 'node' },
    ],
    [
      'what Go’s programs send',
      { host: 'quay.io', 'user-agent': 'containers/5.30 (github.com/containers/image)', 'accept-encoding': 'gzip' },
    ],
    [
      'curl and wget',
      { host: 'registry.example', 'user-agent': 'Wget/1.21.3', accept: '*/*', 'accept-encoding': 'identity' },
    ],
    ['HTTP/1.0', {}],
  ])('may do everything: %s', (_, headers) => {
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE'])
      expect(isPageOfElsewhere(method, headers, NAMES)).toBe(false);
  });
});

describe('a page of the registry itself', () => {
  it.each([
    '127.0.0.1:5000',
    '[::1]:5000',
    '192.168.1.7',
    'localhost:5000',
    'LocalHost',
    'registry.lan:5000',
    'Registry.LAN',
  ])('at %s may do everything', (host) => {
    const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
    expect(isPageOfElsewhere('DELETE', headers, NAMES)).toBe(false);
    expect(isPageOfElsewhere('POST', { host, origin: `https://${host}` }, NAMES)).toBe(false);
    expect(isPageOfElsewhere('GET', { host, 'sec-fetch-site': 'same-origin' }, NAMES)).toBe(false);
  });

  it('may be opened by typing its address, which never writes', () => {
    const typed = { host: 'localhost:5000', 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' };
    expect(isPageOfElsewhere('GET', typed, NAMES)).toBe(false);
    expect(isPageOfElsewhere('POST', typed, NAMES)).toBe(true);
  });
});

/** What Chromium and Firefox send with a GET over plain http: fetch metadata goes to loopback addresses, `localhost` and https only. */
const BROWSER = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  accept: '*/*',
  'accept-language': 'en-US,en;q=0.5',
  'accept-encoding': 'gzip, deflate',
};

describe('a browser without fetch metadata', () => {
  it.each(['192.168.1.7:5000', '[fd00::1]', 'registry.lan'])('may read at %s', (host) => {
    expect(isPageOfElsewhere('GET', { host, ...BROWSER }, NAMES)).toBe(false);
  });

  it('may read nothing under another host name (DNS rebinding), whatever headers a page sets', () => {
    const host = 'attacker.example:5000';
    const { 'user-agent': mozilla, 'accept-language': _, ...mute } = BROWSER;
    for (const headers of [
      BROWSER,
      { ...BROWSER, 'user-agent': 'docker/29.0' },
      { ...mute, 'user-agent': mozilla },
      { ...mute, 'accept-language': '' },
    ]) {
      for (const method of ['GET', 'HEAD']) expect(isPageOfElsewhere(method, { host, ...headers }, NAMES)).toBe(true);
    }
    expect(isPageOfElsewhere('GET', BROWSER, NAMES)).toBe(true);
  });
});

describe('a page of another web site', () => {
  const host = '127.0.0.1:5000';
  it.each([
    ['sends a form', { host, origin: PAGE, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['of a browser without fetch metadata', { host, origin: PAGE }],
    [
      'shows an image',
      { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    ],
    ['is at another port of this machine', { host, origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-site' }],
    ['is at another port, and says nothing of itself', { host, 'sec-fetch-site': 'same-site' }],
    ['is at localhost, and this at an address', { host, origin: 'http://localhost:5000' }],
    ['is a file, or in a sandbox', { host, origin: 'null' }],
    ['is of an extension', { host, origin: 'moz-extension://b1b1b1b1' }],
    ['has an empty origin', { host, origin: '' }],
    ['names two origins', { host, origin: `http://${host}, ${PAGE}` }],
    ['has this address as its user', { host, origin: `http://${host}@attacker.example` }],
    ['says what no browser says', { host, 'sec-fetch-site': 'anything' }],
    ['says only half of it', { host, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    [
      'made its name lead here',
      { host: 'attacker.example:5000', origin: `${PAGE}:5000`, 'sec-fetch-site': 'same-origin' },
    ],
    ['made its name lead here, and reads', { host: 'attacker.example:5000', 'sec-fetch-site': 'same-origin' }],
    ['made its name lead here, without fetch metadata', { host: 'attacker.example:5000', origin: `${PAGE}:5000` }],
    ['has a name like an address', { host: '127.0.0.1.attacker.example', origin: 'http://127.0.0.1.attacker.example' }],
    ['has a name like localhost', { host: 'localhost.attacker.example', origin: 'http://localhost.attacker.example' }],
    ['has a name that begins like an own one', { host: 'registry.lan.example', origin: 'http://registry.lan.example' }],
    ['leaves the host out', { origin: 'http://', 'sec-fetch-site': 'same-origin' }],
  ])('is refused: %s', (_, headers) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      expect(isPageOfElsewhere(method, headers, NAMES), method).toBe(true);
    }
  });
});
