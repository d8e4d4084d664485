// Words for what a registry does by itself.
import { formatBytes, formatCount } from '../io/text/amounts.ts';
import type { Collection } from '../storage/collector/run.ts';
import type { Scrubbed } from './housekeeping.ts';

export function collectionText({ tags, retentionWaits, manifests, blobs, bytes }: Collection): string {
  const gone = `${formatCount(manifests.length, 'manifest')}, ${formatCount(blobs, 'blob')}, ${formatBytes(bytes)}`;
  const count = formatCount(tags.length, 'tag');
  if (retentionWaits)
    return `collected garbage: ${gone}; the rules in registry.toml would remove ${count}: \`images lreg_gc --dry-run\` shows them, and lets the rules apply`;
  return `collected garbage: ${gone}${tags.length > 0 ? `, ${count} that no rule keeps` : ''}`;
}

export function scrubText({ blobs, bytes, findings, incomplete }: Scrubbed): string {
  const whole =
    incomplete.length === 0 ? 'all images are whole' : `${formatCount(incomplete.length, 'image')} not whole`;
  const mend = findings.length > 0 ? '; `images lreg_check --repair` mends what it can' : '';
  return `checked the store: ${formatBytes(bytes)} in ${formatCount(blobs, 'blob')}, ${whole}${mend}`;
}
