// `images diff`: the files that differ between two images.
import type { Difference } from '../../rootfs/diff-trees.ts';
import { printableName } from '../../tar/names.ts';
import { imageDifferences } from '../../tasks/look/image-differences.ts';
import { openTree } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { whoeverReads } from '../out/answer-out.ts';
import { looking } from '../out/look.ts';
import { jsonOfFile, modeText, timeText } from '../out/ls-format.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJsonList } from '../out/write-json.ts';
import { formatCount } from '../reporter/format.ts';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

export const run: Run = (invocation) =>
  looking(invocation, 'store', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    const [first = '', second = ''] = args;
    await using before = await openTree(look(first), settings);
    await using after = await openTree(look(second), settings);
    const ignored = options.flag('ignore-times') ? (['time'] as const) : [];
    const differences = await imageDifferences(before, after, { ignored }, settings);
    quiet();
    if (options.flag('json')) await whoeverReads(writeJsonList(context, differences, jsonOf));
    else {
      await whoeverReads(outLines(context, differences, lineOf));
      context.note(summary(differences));
    }
    return differences.length > 0 ? 1 : 0;
  });

function lineOf({ path, change, aspects, before, after }: Difference): string {
  const name = `${printableName(path)}${(after ?? before)?.type === 'directory' ? '/' : ''}`;
  const sized = after ?? before;
  if (change !== 'changed' || !before || !after)
    return `${SIGNS[change]} ${name}${sized?.type === 'file' ? ` (${formatCount(sized.size, 'byte')})` : ''}`;
  const details = aspects.map((aspect) => {
    switch (aspect) {
      case 'type':
        return `${before.type} → ${after.type}`;
      case 'content':
        return before.size === after.size
          ? `content (${formatCount(after.size, 'byte')})`
          : `content (${before.size} → ${after.size} bytes)`;
      case 'mode':
        return `mode ${modeText(before).slice(1)} → ${modeText(after).slice(1)}`;
      case 'owner':
        return `owner ${before.uid}:${before.gid} → ${after.uid}:${after.gid}`;
      case 'time':
        return `time ${timeText(before.mtime)} → ${timeText(after.mtime)}`;
      case 'link':
        return `link ${printableName(before.linkname)} → ${printableName(after.linkname)}`;
      default:
        return aspect;
    }
  });
  return `${SIGNS.changed} ${name}: ${details.join(', ')}`;
}

function summary(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'No differences.';
  const counts = Map.groupBy(differences, ({ change }) => change);
  const count = (change: Difference['change']) => counts.get(change)?.length ?? 0;
  return `${formatCount(differences.length, 'difference')}: ${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`;
}

function jsonOf({ path, change, aspects, before, after }: Difference): unknown {
  return {
    path: printableName(path),
    change,
    ...(change === 'changed' && { aspects }),
    ...(before && { before: jsonOfFile({ name: path, header: before }) }),
    ...(after && { after: jsonOfFile({ name: path, header: after }) }),
  };
}
