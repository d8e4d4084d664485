// Which instruction of its Dockerfile made each layer, as the history of the config tells (OCI image specification 1.1, config.md, "history").
import type { ImageConfig } from '../oci/config.ts';

/** One text a layer, the base first; empty where the history does not say, or does not match the layers. */
export function layerInstructions({ history, diffIds }: ImageConfig): readonly string[] {
  const made = history.filter((entry) => entry.empty_layer !== true);
  if (made.length !== diffIds.length) return diffIds.map(() => '');
  return made.map(({ created_by, comment }) => instruction(created_by ?? comment ?? ''));
}

const NOP = /^\/bin\/sh -c #\(nop\)\s+/;
const SHELL = /^(?:RUN )?(?:\|\d+ .*? )?\/bin\/sh -c /s;

/** The classic builder wrote what it ran: `/bin/sh -c #(nop) ADD …` is ADD, other commands are RUN. BuildKit writes instructions, with the shell and a comment. */
function instruction(createdBy: string): string {
  const text = withoutComment(createdBy).replace(NOP, '');
  return text.replace(SHELL, 'RUN ').replaceAll(/\s+/g, ' ').trim();
}

function withoutComment(createdBy: string): string {
  return createdBy.endsWith(COMMENT) ? createdBy.slice(0, -COMMENT.length).trimEnd() : createdBy;
}

const COMMENT = ' # buildkit';
