// `images lreg_status`: one row for each property; status 1 if the registry does not run.
import { inBinaryUnits } from '../../io/text/size.ts';
import { formatListenAddress, listenUrl } from '../../server/address.ts';
import { type RegistryStatus, registryStatus } from '../../tasks/private-registry/registry-status.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';
import { safeText } from '../process/safe-text.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';

export const run: Run = async ({ options, context }) => {
  const status = await registryStatus(taskSettings(context, options));
  if (options.flag('json')) await writeJson(context, asJson(status));
  else
    await context.out(
      rows(status)
        .map(([name, value]) => `${name.padEnd(10)}${value}\n`)
        .join(''),
    );
  return status.running ? 0 : 1;
};

function rows({
  running,
  health,
  healthChecks = [],
  vms,
  data,
  collected,
  collects,
  checked,
  checks,
  ...held
}: RegistryStatus): readonly (readonly [string, string])[] {
  const where = running?.addresses.map((address) => ['address', listenUrl(address)] as const) ?? [];
  const images = `${formatCount(held.tags, 'tag')} in ${formatCount(held.repositories, 'repository', 'repositories')}`;
  return [
    ['running', running ? `yes, pid ${running.pid}, since ${running.since}` : 'no: `images lreg_start` starts it'],
    ...(health === undefined ? [] : [['health', healthLine(health, healthChecks)] as const]),
    ...where,
    ...(running
      ? [['VMs', vms ? formatListenAddress({ host: vms.ip, port: vms.port }) : 'cannot reach it'] as const]
      : []),
    ...(running?.proxy ? [['proxy', proxyLine(running.proxy)] as const] : []),
    ['data', data],
    ['images', held.fetched ? `${images}; ${formatCount(held.fetched, 'tag')} fetched by the proxy` : images],
    ['size', `${formatBytes(held.size)} in ${formatCount(held.blobs, 'blob')}`],
    ...(held.quota ? [['quota', quotaLine(held.quota)] as const] : []),
    [
      'damaged',
      held.damaged === 0 ? 'no blobs' : `${formatCount(held.damaged, 'blob')}: \`images lreg_check --repair\``,
    ],
    ['checked', `${lastCheck(checked)}; ${nextCheck(checks)}`],
    ['garbage', `${collected ? `collected ${collected}` : 'never collected'}; ${nextCollection(collects)}`],
  ];
}

function healthLine(health: string, checks: NonNullable<RegistryStatus['healthChecks']>): string {
  const bad = checks.filter(({ ok }) => !ok);
  if (bad.length === 0) return safeText(health);
  return safeText(bad.map(({ name, problem = 'fails', since }) => `${name}: ${problem} (since ${since})`).join('; '));
}

function proxyLine({ hosts, ttl, offline }: NonNullable<NonNullable<RegistryStatus['running']>['proxy']>): string {
  if (offline) return 'offline: serves what was fetched';
  const all = hosts.includes('*') ? 'any host with a public address' : 'the well-known hosts';
  const named = hosts.filter((host) => host !== '*').map((host) => safeText(host));
  return `fetches from ${[all, ...named].join(', ')}; tags are fresh for ${Math.round(ttl / 1000)} s`;
}

function nextCollection(collects: string | undefined): string {
  if (collects === undefined) return '`images lreg_gc` collects it';
  return `the registry collects it ${Date.parse(collects) > Date.now() ? `after ${collects}` : 'soon'}, when it is quiet`;
}

function quotaLine({ limit, used }: NonNullable<RegistryStatus['quota']>): string {
  const share = Math.floor((used / limit) * 100);
  const line = `${share} % of ${inBinaryUnits(limit)}`;
  return share >= 90 ? `${line}: WARNING: nearly full; \`images lreg_du\` and \`images lreg_gc\` help` : line;
}

function lastCheck(last: RegistryStatus['checked']): string {
  if (!last) return 'never';
  const images = last.images === 0 ? 'all images were whole' : `${formatCount(last.images, 'image')} not whole`;
  const found = last.findings === 0 ? '' : `, ${formatCount(last.findings, 'finding')}`;
  return `${last.finished}, ${formatBytes(last.bytes)} in ${formatCount(last.blobs, 'blob')}, ${images}${found}`;
}

function nextCheck(checks: string | undefined): string {
  if (checks === undefined) return '`images lreg_check` checks it';
  return `the registry checks it ${Date.parse(checks) > Date.now() ? `after ${checks}` : 'soon'}, when it is quiet`;
}

function asJson({ running, health, healthChecks, vms, ...held }: RegistryStatus): unknown {
  const { pid, since, version, addresses, proxy } = running ?? {};
  return {
    running: running !== undefined,
    ...(running && { pid, since, version, addresses, ...(proxy && { proxy }) }),
    ...(health !== undefined && { health }),
    ...(healthChecks && { healthChecks }),
    ...(vms && { vms }),
    ...held,
  };
}
