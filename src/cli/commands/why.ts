// `images why`: what each layer did to a path, and with which instruction.
import { printableName } from '../../tar/names.ts';
import { imageStory } from '../../tasks/look/image-story.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { looking } from '../out/look.ts';
import { jsonOfFile, longLines } from '../out/ls-format.ts';
import { writeJson } from '../out/write-json.ts';
import { safeText } from '../process/safe-text.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'store', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    const [name = '', path = ''] = args;
    await using image = await openImage(look(name), settings);
    const story = await imageStory(image, path, settings);
    quiet();
    if (options.flag('json')) {
      await writeJson(context, {
        path: printableName(story.path),
        events: story.events.map(({ header, ...event }) => ({
          ...event,
          file: jsonOfFile({ name: story.path, header }),
        })),
      });
      return 0;
    }
    for (const { change, at, layer, instruction, header } of story.events) {
      const file =
        change === 'deleted' ? '' : longLines([header])({ name: story.path === '' ? '/' : story.path, header });
      const lines = [
        `${change} in layer ${at} ${layer.slice(0, 12)}${instruction && `: ${safeText(instruction)}`}`,
        ...(file ? [`  ${file}`] : []),
      ];
      await context.out(`${lines.join('\n')}\n`);
    }
    return 0;
  });
