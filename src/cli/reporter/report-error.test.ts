import { describe, expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import { failureData, reportError } from './report-error.ts';

describe('an error', () => {
  it('is one line, and a second one with what to do', () => {
    const error = new ImagesError('NO_REGISTRY', 'no private registry', { hint: 'Run `images lreg_start`.' });
    expect(reportError(error, false)).toEqual({
      data: { code: 'NO_REGISTRY', message: 'no private registry', hint: 'Run `images lreg_start`.' },
      lines: ['ERROR: no private registry', 'Run `images lreg_start`.'],
      status: 1,
    });
  });

  it('of usage has status 2, an interruption 130', () => {
    expect(reportError(new ImagesError('USAGE', 'x'), false).status).toBe(2);
    expect(reportError(new ImagesError('PLATFORM_INVALID', 'x'), false).status).toBe(2);
    expect(reportError(new ImagesError('ABORTED', 'x'), false).status).toBe(130);
  });

  it('stays one line, and drives no terminal, whatever a registry answered', () => {
    const error = new ImagesError('SERVER_ERROR', 'it said [one\r\n two\u001b[2Jthree\u0007]');
    expect(reportError(error, false).lines).toEqual(['ERROR: it said [one two?[2Jthree?]']);
  });

  it('of the system says what is wrong and where', () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', path: '/x/y' });
    expect(reportError(error, false).lines[0]).toBe('ERROR: no space left [/x/y]');
  });

  it('about damage has a hint, even if the thrower gave none', () => {
    const { lines } = reportError(new ImagesError('SIZE_INVALID', 'blob has 137 bytes, expected 3'), false);
    expect(lines).toEqual(['ERROR: blob has 137 bytes, expected 3', expect.stringContaining('`images check IMAGE`')]);
  });

  it('that nobody expected is called a bug', () => {
    const { lines, status } = reportError(new TypeError('x is not a function'), false);
    expect(lines[0]).toBe('ERROR: internal error: x is not a function');
    expect(lines[1]).toContain('--verbose');
    expect(status).toBe(1);
  });

  it('shows where it comes from, and its causes, with --verbose only', () => {
    const error = new ImagesError('UNREACHABLE', 'no answer', { cause: new Error('refused') });
    expect(reportError(error, false).lines).toHaveLength(1);
    const verbose = reportError(error, true).lines.join('\n');
    expect(verbose).toContain('report-error.test.ts');
    expect(verbose).toContain('caused by Error: refused');
  });
});

it('an error as JSON has the end that failed, the words of the other side and the request', () => {
  const error = new ImagesError('SERVER_ERROR', 'h: status 500', {
    said: 'oops\u001b[2J',
    status: 500,
    request: { method: 'GET', url: 'http://h/v2/' },
    part: { image: 'h/a:1', end: 'destination', label: 'h', what: 'manifest', isRegistry: true },
  });
  const data = {
    code: 'SERVER_ERROR',
    message: 'h/a:1: destination h fails at manifest: h: status 500 [oops?[2J]',
    end: 'destination',
    said: 'oops?[2J',
    request: { method: 'GET', url: 'http://h/v2/', status: 500 },
  };
  expect(reportError(error, false).data).toEqual(data);
  expect(failureData(error)).toEqual(data);
});

it.each([
  ['', (later: Error, first: Error): Error => new SuppressedError(later, first)],
  [
    ', on a Node without SuppressedError',
    (error: Error, suppressed: Error): Error =>
      Object.assign(new Error(), { name: 'SuppressedError', error, suppressed }),
  ],
])('an error whose clean-up failed as well names the first failure%s', (_, both) => {
  const first = new ImagesError('NO_SPACE', 'no space left [x]', { hint: 'Free some.' });
  const thrown = both(new Error('closing'), both(new Error('other'), first));
  expect(reportError(thrown, false)).toMatchObject({ lines: ['ERROR: no space left [x]', 'Free some.'] });
});
