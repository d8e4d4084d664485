// `images mkimage`.
import { readFile } from 'node:fs/promises';
import { ImagesError } from '../../oci/errors.ts';
import { formatReference } from '../../oci/reference.ts';
import { printableName } from '../../tar/names.ts';
import { makeAndSendImage } from '../../tasks/mkimage/make-and-send.ts';
import type { MadeImage, MakeImageOptions } from '../../tasks/mkimage/make-image.ts';
import type { BuiltImageGoal } from '../../tasks/mkimage/send-built-image.ts';
import type { Environment } from '../../tasks/settings.ts';
import { parseCompression } from '../../tasks/transfer/layer-compression.ts';
import type { Run } from '../grammar/command.ts';
import type { Options } from '../grammar/options.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { claimStdout, isStdout } from '../out/archive-out.ts';
import { onePlatform } from '../out/look.ts';
import { writeJson } from '../out/write-json.ts';
import type { Context } from '../process/context.ts';
import { expectingMuchData } from '../process/much-data.ts';
import { buildReporter } from '../reporter/build-lines.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';
import type { Reporter } from '../reporter/lines.ts';
import { createReporter } from '../reporter/reporter.ts';

export const run: Run = async ({ args, options, context }) => {
  const began = Date.now();
  const answer = options.flag('json') ? '--json' : "the image's name";
  for (const location of options.texts('output').filter(isStdout)) claimStdout(location, answer);
  const goals = goalsOf(options);
  const building = buildReporter(context.stderr.write);
  let sending: Reporter | undefined;
  const note = (line: string) => (sending ?? context).note(line);
  let made: MadeImage;
  try {
    made = await makeAndSendImage(args[0] as string, taskSettings(context, options, note), {
      ...(await makeOptions(options, context.env)),
      goals,
      onEvent: expectingMuchData(building.onEvent, ['bytes']),
      onScript: building.onOutput,
      onMade: async ({ name, cached }) => {
        if (cached) context.note(`Cached [${formatReference(name)}]`);
        if (goals.length > 0) sending = await createReporter(context);
      },
      onCopyEvent: (event) => sending?.onEvent(event),
    });
  } finally {
    sending?.finish();
  }
  const seconds = (Date.now() - began) / 1000;
  if (options.flag('json')) await writeJson(context, { ...described(made), seconds: Number(seconds.toFixed(3)) });
  else await context.out(`${formatReference(made.name)}\n`);
  return told(made, seconds, context);
};

/** Errors: USAGE, PLATFORM_INVALID, FILE_UNREADABLE (a secret). */
async function makeOptions(options: Options, env: Environment): Promise<MakeImageOptions> {
  const compression = options.text('compression');
  const platform = onePlatform(options.text('platform'));
  const texts = ['tag', 'manifest', 'file', 'context', 'target'] as const;
  const given = texts.flatMap((name) => {
    const text = options.text(name);
    return text === undefined ? [] : [[name, text] as const];
  });
  const network = networkOf(options.text('network'));
  const timestamp = timestampOf(options.text('timestamp'));
  return {
    ...Object.fromEntries(given),
    force: options.flag('force'),
    noCache: options.flag('no-cache'),
    pull: options.flag('pull'),
    verify: options.flag('verify'),
    ignoreChownErrors: options.flag('ignore-chown-errors'),
    buildArgs: buildArgs(options.texts('build-arg'), env),
    labels: new Map(options.texts('label').map((text) => pairOf(text, '--label'))),
    secrets: await secretsOf(options.texts('secret'), env),
    ...(platform && { platform }),
    ...(network && { network }),
    ...(compression !== undefined && { compression: parseCompression(compression) }),
    ...(timestamp && { times: timestamp }),
  };
}

/** As in Docker, `default` is the machine's default. */
function networkOf(text: string | undefined): MakeImageOptions['network'] {
  if (text === undefined || text === 'default') return undefined;
  if (text === 'host' || text === 'none' || text === 'private') return text;
  throw new ImagesError('USAGE', `unknown network [--network=${text}]`, {
    hint: 'Write --network=host, none or private.',
  });
}

function pairOf(text: string, option: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new ImagesError('USAGE', `${option} takes NAME=VALUE [${text}]`);
}

/** A name without a value takes the value of the environment variable, if there is one. */
function buildArgs(texts: readonly string[], env: Environment): ReadonlyMap<string, string> {
  return new Map(
    texts.flatMap((text) => {
      if (text.includes('=')) return [pairOf(text, '--build-arg')];
      const value = env[text];
      return value === undefined ? [] : [[text, value] as const];
    }),
  );
}

function timestampOf(text: string | undefined): MakeImageOptions['times'] {
  if (text === undefined) return undefined;
  if (text === 'keep') return { kind: 'kept' };
  if (/^\d{1,12}$/.test(text)) return { kind: 'fixed', seconds: Number(text) };
  throw new ImagesError('USAGE', `--timestamp takes seconds since 1970, or keep [${text}]`);
}

async function secretsOf(texts: readonly string[], env: Environment): Promise<ReadonlyMap<string, Uint8Array>> {
  const secrets = new Map<string, Uint8Array>();
  for (const text of texts) {
    const fields = new Map(text.split(',').map((field) => pairOf(field, '--secret')));
    const file = fields.get('src') ?? fields.get('source');
    const id = fields.get('id') ?? '';
    const variable = fields.get('env') ?? (file === undefined && env[id] !== undefined ? id : undefined);
    if (id === '')
      throw new ImagesError('USAGE', 'a secret without an id [--secret]', {
        hint: 'Write --secret=id=NAME,src=FILE or --secret=id=NAME,env=VAR',
      });
    const value = variable === undefined ? undefined : env[variable];
    if (value !== undefined) secrets.set(id, Buffer.from(value));
    else if (variable !== undefined) throw new ImagesError('USAGE', `a secret's variable is not set [${variable}]`);
    else secrets.set(id, await readFile(file ?? id));
  }
  return secrets;
}

function goalsOf(options: Options): readonly BuiltImageGoal[] {
  return [
    ...(options.flag('upload')
      ? [{ kind: 'private', includeHost: options.flag('include-host') && !options.flag('strip-host') } as const]
      : []),
    ...(options.flag('docker') ? [{ kind: 'docker' } as const] : []),
    ...options.texts('output').map((text) => ({ kind: 'location', text }) as const),
  ];
}

function told({ built, differences }: MadeImage, seconds: number, context: Context): number {
  if (built) {
    const added = built.layers.filter(({ isNew }) => isNew);
    const bytes = added.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    context.note(
      `${formatCount(built.layers.length, 'layer')}, ${formatBytes(bytes)} of its own, ${seconds.toFixed(1)} s`,
    );
  }
  if (!differences || differences.isSame) {
    if (differences) context.note('The same when built again');
    return 0;
  }
  context.note('Not the same when built again:');
  for (const instruction of differences.instructions) context.note(`  ${instruction}`);
  if (differences.config) context.note('  ~ the configuration');
  for (const { path, change, aspects } of differences.files) {
    const mark = change === 'added' ? '+' : change === 'removed' ? '-' : '~';
    context.note(`  ${mark} /${printableName(path)}${aspects.length > 0 ? ` (${aspects.join(', ')})` : ''}`);
  }
  return 1;
}

function described({ name, digest, cached, built, differences }: MadeImage): object {
  return {
    image: formatReference(name),
    digest,
    cached,
    ...(built && {
      layers: built.layers.map(({ descriptor, diffId, isNew, instruction }) => ({
        digest: descriptor.digest,
        diffId,
        size: descriptor.size,
        mediaType: descriptor.mediaType,
        ...(isNew ? { instruction } : { base: true }),
      })),
    }),
    ...(differences && {
      reproducible: differences.isSame,
      differences: differences.files.map(({ path, change, aspects }) => ({ path, change, aspects })),
    }),
  };
}
