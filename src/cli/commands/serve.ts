// `images serve`: the embedded registry in the foreground. With --ready-fd it is the process behind `lreg_start`.
import { closeSync, writeSync } from 'node:fs';
import type { HousekeepingEvent, Scrubbed } from '../../observe/housekeeping.ts';
import type { Observation } from '../../observe/observation.ts';
import { isImagesError } from '../../oci/errors.ts';
import { listenUrl } from '../../server/address.ts';
import type { ServerEvent } from '../../server/events.ts';
import { type ServedRegistry, serveRegistry } from '../../tasks/private-registry/serve-registry.ts';
import type { ReadyMessage } from '../../tasks/private-registry/start-registry.ts';
import type { Run } from '../grammar/command.ts';
import { givenServingOptions } from '../grammar/serving-options.ts';
import { configSettings, taskSettings } from '../grammar/task-settings.ts';
import type { Context } from '../process/context.ts';
import { watchTerminal } from '../process/hang-up.ts';
import { createBufferCollector, expectManyRequests } from '../process/much-data.ts';
import { processFigures } from '../process/process-figures.ts';
import { safeText } from '../process/safe-text.ts';
import { inheritedSockets, serviceManager } from '../process/service-manager.ts';
import { type AuditLog, createAuditLog } from '../reporter/audit-log.ts';
import { leapLine } from '../reporter/collection-line.ts';
import { describedFault, neededBy } from '../reporter/fault-text.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';
import { errorLine } from '../reporter/report-error.ts';

export const run: Run = async ({ options, context }) => {
  context.interruption.takeTime();
  expectManyRequests();
  const readyDescriptor = options.text('ready-fd');
  const tell = (message: ReadyMessage) => {
    if (readyDescriptor === undefined) return;
    writeSync(Number(readyDescriptor), `${JSON.stringify(message)}\n`);
    closeSync(Number(readyDescriptor));
  };
  using manager = serviceManager(context.env, {
    onNotice: (text) => context.note(`${new Date().toISOString()} ${text}`),
  });
  let served: ServedRegistry | undefined;
  const audit = createAuditLog();
  try {
    served = await serveRegistry(
      {
        ...givenServingOptions(options),
        sockets: inheritedSockets(context.env),
        version: context.version,
        onObservation: (event) => log(event, context, audit),
        onReceived: createBufferCollector(),
        processFigures,
      },
      { ...taskSettings(context, options), ...configSettings(options) },
    );
  } catch (error) {
    if (isImagesError(error))
      tell({ error: { code: error.code, message: error.message, ...(error.hint && { hint: error.hint }) } });
    throw error;
  }
  const { data } = served.state;
  const where = served.state.addresses.map((address) => listenUrl(address)).join(', ');
  context.note(`${new Date().toISOString()} serving ${served.state.data} at ${where}`);
  if (served.open !== undefined) context.note(`${new Date().toISOString()} ${served.open}`);
  const { reload, drain, stopNow } = served;
  const hasLostTerminal = watchTerminal();
  // Whether it went well is in the log.
  context.interruption.onHangUp(() => {
    if (hasLostTerminal()) return false;
    manager.reloading();
    reload()
      .catch(() => undefined)
      .finally(() => manager.ready(`serving ${data} at ${where}`));
    return true;
  });
  let isDraining = false;
  context.interruption.onQuit(() => {
    isDraining = true;
    manager.stopping();
    void drain();
  });
  // After SIGQUIT, which waits for as long as it takes, the first one is the second.
  context.signal.addEventListener('abort', () => void (isDraining && stopNow()), { once: true });
  context.interruption.onSecond(() => void stopNow());
  tell({ ready: true, ...(served.open !== undefined && { open: served.open }) });
  manager.ready(`serving ${data} at ${where}`);
  context.signal.addEventListener('abort', () => manager.stopping(), { once: true });
  await served.stopped;
  context.note(`${new Date().toISOString()} stopped`);
  return 0;
};

function log(event: Observation, context: Context, audit: AuditLog): void {
  switch (event.type) {
    case 'request':
      for (const line of event.isAudited ? audit.linesFor(event) : []) {
        context.note(`${new Date().toISOString()} ${line}`);
      }
      logEvent(event, context);
      return;
    case 'failure':
      logEvent(event, context);
      return;
    case 'notice':
      context.note(`${new Date().toISOString()} ${event.level === 'warn' ? 'WARNING: ' : ''}${event.text}`);
      return;
    case 'serving':
    case 'reloaded':
    case 'stopping':
    case 'stopped':
    case 'proxy-fetching':
    case 'proxy-fetched':
    case 'proxy-stored':
    case 'proxy-failed':
      return;
    default:
      for (const line of housekeepingLines(event)) context.note(`${new Date().toISOString()} ${line}`);
  }
}

function collectionLine({ collection }: Extract<HousekeepingEvent, { type: 'collected' }>): string {
  const { tags, retentionWaits, manifests, blobs, bytes } = collection;
  const gone = `${formatCount(manifests.length, 'manifest')}, ${formatCount(blobs, 'blob')}, ${formatBytes(bytes)}`;
  const count = formatCount(tags.length, 'tag');
  if (retentionWaits)
    return `collected garbage: ${gone}; the rules in registry.toml would remove ${count}: \`images lreg_gc --dry-run\` shows them, and lets the rules apply`;
  return `collected garbage: ${gone}${tags.length > 0 ? `, ${count} that no rule keeps` : ''}`;
}

function housekeepingLines(event: HousekeepingEvent): readonly string[] {
  if (event.type === 'housekeeping-failed') return [`ERROR: ${errorLine(event.error)}`];
  if (event.type === 'damaged') return [`ERROR: damaged, and not served any more: ${event.digest}`];
  if (event.type === 'scrubbed') return scrubLines(event);
  if (event.type === 'fetching') return [`fetching what is damaged: ${event.digest} from ${safeText(event.from)}`];
  if (event.type === 'mended') return [`mended: ${safeText(describedFault(event.fault))}`];
  const { leap } = event.collection;
  return [collectionLine(event), ...(leap ? [leapLine(leap)] : [])];
}

const MOST_LINES = 100;

function scrubLines({ blobs, bytes, findings, news, incomplete }: Scrubbed): readonly string[] {
  const whole =
    incomplete.length === 0 ? 'all images are whole' : `${formatCount(incomplete.length, 'image')} not whole`;
  const found = news.slice(0, MOST_LINES).map(({ why, ...fault }) => {
    const notMended = why === undefined ? '' : `; not mended: ${why}`;
    return safeText(`${describedFault(fault)}${neededBy(fault)}${notMended}`);
  });
  const mend = findings.length > 0 ? '; `images lreg_check --repair` mends what it can' : '';
  const read = `${formatBytes(bytes)} in ${formatCount(blobs, 'blob')}`;
  return [...found, `checked the store: ${read}, ${whole}${mend}`];
}

/** Logs failures always, requests only with --verbose. */
function logEvent(event: ServerEvent, context: Context): void {
  // The time is made only for what is logged: a server answers thousands of requests a second.
  if (event.type === 'request' && !context.verbose) return;
  const what = `${new Date().toISOString()} ${event.method} ${event.url}`;
  if (event.type === 'failure') context.note(`${what} ERROR: ${errorLine(event.error)}`);
  else {
    context.note(
      `${what} ${event.status} ${event.code ?? '-'} sent=${event.sent} received=${event.received} ${event.duration.toFixed(1)}ms`,
    );
  }
}
