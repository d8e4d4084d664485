import { describe, expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { overlayFromXcluster, xclusterEnvironment } from './xcluster.ts';

describe('xcluster’s environment', () => {
  it('is read without its warnings, quotes removed as a shell does', async () => {
    await using world = await temporaryWorld();
    const script = [
      'echo "WARNING: no image [/x=y]"',
      `echo "XCLUSTER_TMP='/tmp/x y'"`,
      'echo "__net_setup=/x/net-setup-userspace.sh"',
      `printf '%s\\n' "QUOTED='it'\\\\''s'" 'DOUBLE="a \\"b\\" \\$c"' 'ESCAPED=x\\ y' 'export EXPORTED=1' 'EMPTY=' 'SUM=a=b'`,
      `printf '%s\\r\\n' 'WINDOWS=1'`,
      `echo 'no variable'; echo '1X=2'; echo '  INDENTED=1'`,
    ];
    const settings = world.settings({ XCLUSTER: await world.script('xcluster.sh', script.join('\n')) });
    expect(Object.fromEntries(await xclusterEnvironment(settings))).toEqual({
      XCLUSTER_TMP: '/tmp/x y',
      __net_setup: '/x/net-setup-userspace.sh',
      QUOTED: "it's",
      DOUBLE: 'a "b" $c',
      ESCAPED: 'x y',
      EXPORTED: '1',
      EMPTY: '',
      SUM: 'a=b',
      WINDOWS: '1',
      INDENTED: '1',
    });
  });

  it('is asked for with `env`, and is empty where $XCLUSTER is not set or cannot be run', async () => {
    await using world = await temporaryWorld();
    const XCLUSTER = await world.script('xcluster.sh', 'echo "ARGS=$*"');
    expect((await xclusterEnvironment(world.settings({ XCLUSTER }))).get('ARGS')).toBe('env');
    expect((await xclusterEnvironment(world.settings({ XCLUSTER: '/nowhere/xcluster.sh' }))).size).toBe(0);
    expect((await xclusterEnvironment(world.settings({ XCLUSTER: '' }))).size).toBe(0);
    expect((await xclusterEnvironment(world.settings())).size).toBe(0);
  });
});

describe('an overlay’s directory', () => {
  it('is the last line that `ovld NAME` prints, without warnings', async () => {
    await using world = await temporaryWorld();
    const script = 'echo "other"; echo "/ovls/$1/$2 "; echo; echo "WARNING: old"';
    const XCLUSTER = await world.script('xcluster.sh', script);
    expect(await overlayFromXcluster('one', world.settings({ XCLUSTER }))).toBe('/ovls/ovld/one');
  });

  it('is unknown if xcluster fails, prints nothing, or is not there', async () => {
    await using world = await temporaryWorld();
    for (const script of ['echo /ovls/one; exit 1', 'echo "WARNING: old"', 'exit 0']) {
      const XCLUSTER = await world.script('xcluster.sh', script);
      expect(await overlayFromXcluster('one', world.settings({ XCLUSTER })), script).toBeUndefined();
    }
    expect(await overlayFromXcluster('one', world.settings())).toBeUndefined();
  });

  it('is not waited for when the call is aborted', async () => {
    await using world = await temporaryWorld();
    const XCLUSTER = await world.script('xcluster.sh', 'echo /ovls/one');
    const settings = world.settings({ XCLUSTER }, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(overlayFromXcluster('one', settings)).rejects.toThrow('enough');
  });
});
