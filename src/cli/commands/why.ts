// `images why`: what each layer did to a path, and by which instruction.
import { layerInstructions } from '../../rootfs/instructions.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import { pathInRoot } from '../../rootfs/path.ts';
import { storyOf } from '../../rootfs/why.ts';
import { printableName } from '../../tar/names.ts';
import { noSuchPath } from '../../tasks/look/list-files.ts';
import { layerId } from '../../tasks/look/select-layers.ts';
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
    const indexes = await indexLayers(image.layers, { signal: context.signal });
    const story = storyOf(indexes, pathInRoot(path));
    if (story.events.length === 0) throw noSuchPath(path);
    const instructions = layerInstructions(image.config);
    const events = story.events.map(({ layer: at, change, header }) => {
      const layer = image.layers[at];
      return {
        change,
        at: at + 1,
        layer: layer ? layerId(layer) : '',
        instruction: instructions[at] ?? '',
        header,
      };
    });
    quiet();
    if (options.flag('json')) {
      await writeJson(context, {
        path: printableName(story.path),
        events: events.map(({ header, ...event }) => ({ ...event, file: jsonOfFile({ name: story.path, header }) })),
      });
      return 0;
    }
    for (const { change, at, layer, instruction, header } of events) {
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
