// `images lreg_token`: gives machines tokens for the embedded registry, lists and revokes them.
import { giveToken, listTokens, revokeTokens } from '../../tasks/private-registry/machine-tokens.ts';
import type { Run } from '../grammar/command.ts';
import { positiveNumber } from '../grammar/options.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJson } from '../out/write-json.ts';

const DAYS = 30;

export const run: Run = async ({ options, context }) => {
  const settings = taskSettings(context, options);
  const isJson = options.flag('json');
  const revoked = options.text('revoke');
  if (revoked !== undefined) {
    for (const { name, id } of await revokeTokens(revoked, settings)) context.note(`Revoked ${name} (${id}).`);
    return 0;
  }
  if (options.flag('list')) {
    const all = await listTokens(settings);
    if (isJson) await writeJson(context, all);
    else
      await outLines(context, all, ({ id, name, scopes, expires }) => {
        const may = scopes.map(({ repositories, actions }) => `${actions.join('+')} ${repositories}`).join(', ');
        return `${id}  until ${new Date(expires).toISOString().slice(0, 10)}  ${name}: ${may}`;
      });
    return 0;
  }
  const days = options.text('days');
  const given = await giveToken(
    {
      name: options.text('name') ?? 'token',
      allow: { pull: options.texts('pull'), push: options.texts('push'), delete: options.texts('delete') },
      days: days === undefined ? DAYS : positiveNumber(days, '--days'),
    },
    settings,
  );
  if (isJson) await writeJson(context, given);
  else {
    await context.out(`${given.token}\n`);
    context.note(
      `For ${given.name} until ${new Date(given.expires).toISOString().slice(0, 10)}. Log in as user token, with this as the password.`,
    );
  }
  return 0;
};
