import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { because, needs } from '../peers/find.ts';
import { run, start, stop, until } from '../peers/process.ts';
import { newWorld, ROOT } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';

const allowed = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) <= 80;
const root = needs('root', 'setpriv');
const lowPorts = root.missing ? root : because([allowed ? 'everybody may listen on port 80 here' : undefined]);

const answers = async (url: string) => (await fetch(`${url}/v2/`)).ok;

describe('images lreg_start, lreg_status, lreg_stop', () => {
  it('starts a registry that answers when the command returns, and outlives it, until it is stopped', async () => {
    await using world = await newWorld();
    const { stdout, stderr } = await world.images(['lreg_start', '--listen=127.0.0.1:0']);
    const url = stdout.trim();
    try {
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(stderr).toContain('VMs cannot reach a loopback address');
      expect(await answers(url)).toBe(true);
      const status = await world.images(['lreg_status']);
      expect(status.status).toBe(0);
      expect(status.stdout).toContain(`address   ${url}\n`);
      expect(status.stdout).toContain(`data      ${world.data}\n`);
      expect(JSON.parse(await world.must(['lreg_status', '--json']))).toMatchObject({
        running: true,
        tags: 0,
        size: 0,
      });
    } finally {
      expect(await world.images(['lreg_stop'])).toEqual({ status: 0, stdout: '', stderr: '' });
    }
    await expect(answers(url)).rejects.toThrow();
    expect((await world.images(['lreg_status'])).status).toBe(1);
    expect((await world.images(['lreg_stop'])).stderr).toBe('The embedded registry is not running.\n');
  });

  it('says when it checks its store, and does not if that is switched off', async () => {
    await using world = await newWorld();
    const status = async () => JSON.parse((await world.images(['lreg_status', '--json'])).stdout);
    const start = (...args: string[]) => world.images(['lreg_start', '--listen=127.0.0.1:0', ...args]);
    const wrong = await start('--scrub=hourly');
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('--scrub=weekly')]);
    await start();
    expect(await status()).toMatchObject({ damaged: 0, checks: expect.any(String) });
    expect((await world.images(['lreg_status'])).stdout).toMatch(/^checked {3}never; the registry checks it soon/m);
    await world.must(['lreg_stop']);
    await start('--scrub=off');
    expect(await status()).not.toHaveProperty('checks');
    expect((await world.images(['lreg_status'])).stdout).toContain('checked   never; `images lreg_check` checks it\n');
    await world.must(['lreg_stop']);
  });

  it('started twice runs once: the same options are accepted, others refused', async () => {
    await using world = await newWorld();
    const { host, base } = await world.startRegistry();
    const same = await world.images(['lreg_start', `--listen=${host}`]);
    expect(same).toMatchObject({ status: 0, stdout: `${base}\n` });
    expect(same.stderr).toContain('runs already');
    const other = await world.images(['lreg_start', `--listen=127.0.0.1:${await freePort()}`]);
    expect(other).toMatchObject({ status: 1, stdout: '' });
    expect(other.stderr).toContain(`ERROR: the embedded registry runs already [${host}]\n`);
    expect(other.stderr).toContain('lreg_stop');
  });

  it('started by two processes at once runs once', async () => {
    await using world = await newWorld();
    const listen = `--listen=127.0.0.1:${await freePort()}`;
    const results = await Promise.all([world.images(['lreg_start', listen]), world.images(['lreg_start', listen])]);
    expect(results.map((result) => result.status)).toEqual([0, 0]);
    expect(results[0]?.stdout).toBe(results[1]?.stdout);
    await world.must(['lreg_stop']);
  });

  it('says what is wrong with an address, and starts nothing', async () => {
    await using world = await newWorld();
    await using other = await newWorld();
    const { host } = await other.startRegistry();
    const used = await world.images(['lreg_start', `--listen=${host}`]);
    expect(used).toMatchObject({ status: 1, stdout: '' });
    expect(used.stderr).toMatch(new RegExp(`^ERROR: address is in use \\[${host}\\]\n.*--listen`));
    const own = { env: { IMAGES_RUNTIME: other.env.IMAGES_RUNTIME } };
    expect((await world.images(['lreg_start', `--listen=${host}`], own)).stderr).toContain(
      `images lreg_stop --data=${other.data}`,
    );
    const wrong = await world.images(['lreg_start', '--listen=nonsense']);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toMatch(/^ERROR: not an address to listen on \[nonsense\]/);
    const foreign = await world.images(['lreg_start', '--listen=203.0.113.7:5000']);
    expect(foreign.stderr).toMatch(/^ERROR: this machine does not have the address \[203\.0\.113\.7:5000\]\n/);
    expect((await world.images(['lreg_status'])).status).toBe(1);
    expect((await world.images(['lreg_ls'])).stderr).toContain('no private registry');
  });

  it('listens on several addresses', async () => {
    await using world = await newWorld();
    const [one, two] = [await freePort(), await freePort()];
    const stdout = await world.must(['lreg_start', `--listen=127.0.0.1:${one}`, `--listen=127.0.0.1:${two}`]);
    expect(stdout).toBe(`http://127.0.0.1:${one}\nhttp://127.0.0.1:${two}\n`);
    expect(await Promise.all([one, two].map((port) => answers(`http://127.0.0.1:${port}`)))).toEqual([true, true]);
    await world.must(['lreg_stop']);
  });

  it('remembers another data directory, also after it has stopped', async () => {
    await using world = await newWorld();
    const data = join(world.path, 'elsewhere');
    await world.must(['lreg_start', `--data=${data}`, '--listen=127.0.0.1:0']);
    await world.must(['lreg_stop']);
    expect((await world.images(['lreg_status'])).stdout).toContain(`data      ${data}\n`);
    expect(await world.images(['lreg_ls'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

describe('images serve', () => {
  it('runs in the foreground, is found by other commands, and ends in order when asked to', async () => {
    await using world = await newWorld();
    const port = await freePort();
    const child = world.startImages(['serve', `--listen=127.0.0.1:${port}`]);
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(async () => said.includes(`serving ${world.data} at http://127.0.0.1:${port}\n`));
    expect(await answers(`http://127.0.0.1:${port}`)).toBe(true);
    expect((await world.images(['lreg_status'])).status).toBe(0);
    await stop(child);
    expect(child.exitCode).toBe(0);
    expect((await world.images(['lreg_status'])).status).toBe(1);
  });
});

describe('images serve and lreg_start', () => {
  it('leave no store behind if they cannot start', async () => {
    await using world = await newWorld();
    await using other = await newWorld();
    const { host } = await other.startRegistry();
    for (const command of ['serve', 'lreg_start']) {
      const { status, stderr } = await world.images([command, `--listen=${host}`]);
      expect(status, command).toBe(1);
      expect(stderr, command).toMatch(/^ERROR: address is in use /);
      expect((await world.images(['lreg_ls'])).stderr, command).toMatch(/^ERROR: no private registry\n/);
    }
  });

  it.skipIf(lowPorts.missing)(`say what allows a port that is refused${lowPorts.why}`, async () => {
    await using world = await newWorld();
    for (const command of ['serve', 'lreg_start']) {
      const args = ['--bounding-set=-net_bind_service', join(ROOT, 'bin/images'), command, '--listen=127.0.0.1:80'];
      const { status, stderr } = await run('setpriv', args, { env: world.env });
      expect(status, command).toBe(1);
      expect(stderr, command).toContain('ERROR: no permission to listen on [127.0.0.1:80]\n');
      expect(stderr, command).toContain('sudo sysctl net.ipv4.ip_unprivileged_port_start=80');
    }
  });
});

describe('images lreg_ip', () => {
  it('prints a bare address that VMs reach', async () => {
    await using world = await newWorld();
    await world.startRegistry();
    const loopback = await world.images(['lreg_ip']);
    expect(loopback).toMatchObject({ status: 1, stdout: '' });
    expect(loopback.stderr).toMatch(/^ERROR: VMs cannot reach the private registry \[127\.0\.0\.1:\d+\]\n/);
    const env = { __net_setup: '/x/net-setup-userspace.sh' };
    expect(await world.must(['lreg_ip'], { env })).toBe('192.168.0.250\n');
    expect(await world.must(['lreg_ip'], { env: { LOCAL_REGISTRY: '[fd00::7]:5000' } })).toBe('fd00::7\n');
    const json = await world.must(['lreg_ip', '--json'], { env: { LOCAL_REGISTRY: 'https://10.0.0.1' } });
    expect(JSON.parse(json)).toEqual({ ip: '10.0.0.1', port: 443, scheme: 'https' });
  });
});

describe('ovl/images/images.sh', () => {
  it('is the program, wherever it is called from', async () => {
    await using world = await newWorld();
    const child = start(join(ROOT, 'ovl/images/images.sh'), ['lreg_ls'], { cwd: '/', env: world.env });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await new Promise((closed) => child.once('close', closed));
    expect(child.exitCode).toBe(1);
    expect(said).toContain('ERROR: no private registry');
  });
});
