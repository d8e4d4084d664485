// Finds the Dockerfile instruction of each layer in the config's history (OCI image specification 1.1, config.md, "history").
import type { ImageConfig } from '../oci/config.ts';

/** One text for each layer, the base first; empty if the history does not tell, or does not match the layers. */
export function layerInstructions({ history, diffIds }: ImageConfig): readonly string[] {
  const made = history.filter((entry) => entry.empty_layer !== true);
  if (made.length !== diffIds.length) return diffIds.map(() => '');
  return made.map(({ created_by, comment }) => instruction(created_by ?? comment ?? ''));
}

const NOP = /^\/bin\/sh -c #\(nop\)\s+/;
const SHELL = /^(?:RUN )?(?:\|\d+ .*? )?\/bin\/sh -c /s;

/** The classic builder recorded `/bin/sh -c #(nop) ADD …` for ADD and plain commands for RUN. BuildKit records instructions, with the shell and a comment. */
function instruction(createdBy: string): string {
  const text = withoutComment(createdBy).replace(NOP, '');
  return text.replace(SHELL, 'RUN ').replaceAll(/\s+/g, ' ').trim();
}

function withoutComment(createdBy: string): string {
  return createdBy.endsWith(COMMENT) ? createdBy.slice(0, -COMMENT.length).trimEnd() : createdBy;
}

const COMMENT = ' # buildkit';
