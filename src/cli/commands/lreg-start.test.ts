// What `lreg_start` prints of a registry that is there. That it starts one is tested in tasks/private-registry and test/e2e.
import { expect, it, vi } from 'vitest';
import * as task from '../../tasks/private-registry/start-registry.ts';
import { testProgram } from '../testing/program.ts';

async function started(argv: readonly string[], answer: Partial<task.StartedRegistry> = {}) {
  const program = await testProgram();
  const addresses = [
    { host: '127.0.0.1', port: 5000 },
    { host: '0.0.0.0', port: 443, tls: true },
  ];
  const state = { data: '/data', addresses, version: '1', identity: '1.1', pid: 7, uid: 0, since: 'now' };
  const spy = vi.spyOn(task, 'startRegistry').mockResolvedValue({ state, already: false, ...answer });
  const printed = await program.must('lreg_start', ...argv);
  return { printed, noted: program.noted(), request: spy.mock.calls.at(-1)?.[0] };
}

it('lreg_start prints where the registry listens, and beside it what is open', async () => {
  const { printed, noted } = await started([], { open: 'anyone can pull' });
  expect(printed).toBe('http://127.0.0.1:5000\nhttps://0.0.0.0:443\n');
  expect(noted).toEqual([
    'Data: /data',
    'Open: anyone can pull.',
    'VMs cannot reach a loopback address: for them, start it with --listen=0.0.0.0:80.',
  ]);
});

it('lreg_start says how VMs reach it, and which port those need that take it for docker.io', async () => {
  const at = (port: number) => started([], { already: true, vms: { ip: '192.168.0.250', port } });
  expect((await at(80)).noted).toEqual([
    'The embedded registry runs already.',
    'Data: /data',
    'VMs reach it at 192.168.0.250:80.',
  ]);
  expect((await at(5000)).noted.at(-1)).toContain('add --listen=ADDR:80');
});

it('lreg_start --json prints the same, and its options reach the registry', async () => {
  const { printed, request } = await started(['--json', '--audit', '--read-only', '--tls=auto', '--listen=0.0.0.0:1']);
  expect(JSON.parse(printed)).toMatchObject({ running: true, already: false, pid: 7, data: '/data' });
  expect(request).toMatchObject({ listen: ['0.0.0.0:1'], isAudited: true, readOnly: true, tls: 'auto' });
});
