// `images node_check`: what the runtimes of a node do, and what is wrong with it.
import type { RuntimeCheck } from '../../nodes/check/contract.ts';
import type { TestPull } from '../../nodes/check/pull-script.ts';
import { checkNodeConfig } from '../../tasks/nodes/node-check.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';
import { formatCount } from '../reporter/format.ts';

export const run: Run = async ({ options, context }) => {
  const exec = options.text('exec');
  const request = {
    registries: options.texts('registry').flatMap((text) => text.split(',')),
    pull: options.flag('pull'),
    ...(exec !== undefined && { exec }),
  };
  const check = await checkNodeConfig(request, taskSettings(context, options));
  const wrong = check.runtimes.reduce((sum, { findings }) => sum + findings.length, 0);
  if (options.flag('json')) await writeJson(context, { ok: wrong === 0, ...check });
  else {
    for (const runtime of check.runtimes) await context.out(textOf(runtime, check.pulls));
    for (const path of check.unreadable) context.note(`Cannot be read: ${path}`);
    if (check.runtimes.length === 0) context.note('There is no runtime.');
    else context.note(wrong === 0 ? 'Everything is right.' : `${formatCount(wrong, 'problem')}.`);
  }
  return wrong === 0 ? 0 : 1;
};

function textOf({ runtime, version, reads, asks, findings }: RuntimeCheck, pulls: readonly TestPull[]): string {
  const pulled = (host: string) => {
    const pull = pulls.find((one) => one.runtime === runtime && one.host === host);
    return pull ? ` (test pull: ${pull.isPulled ? 'from the private registry' : 'failed'})` : '';
  };
  const lines = [
    `${runtime}:${version === undefined ? '' : ` ${version}`}`,
    ...(reads.length > 0
      ? [
          `  reads ${reads.length > 5 ? `${reads.slice(0, 4).join(', ')} and ${reads.length - 4} more` : reads.join(', ')}`,
        ]
      : []),
    ...Object.entries(asks).map(([host, urls]) => `  ${host} → ${urls.join(', ') || 'refused'}${pulled(host)}`),
    ...findings.flatMap(({ what, mend }) => [`  ! ${what}`, `    ${mend}`]),
  ];
  return `${lines.join('\n')}\n`;
}
