// Parts that were examined, for people: what is right in one line, what is wrong below it.
export interface ExaminedPart {
  readonly what: string;
  readonly digest?: string;
  readonly problems: readonly string[];
  readonly notes?: readonly string[];
}

export function partText({ what, digest, problems, notes = [] }: ExaminedPart): string {
  const head = `${problems.length === 0 ? 'ok   ' : 'WRONG'} ${what}${digest ? ` ${digest}` : ''}`;
  return [
    head,
    ...problems.map((problem) => `      ${problem}`),
    ...notes.map((note) => `      note: ${note}`),
    '',
  ].join('\n');
}
