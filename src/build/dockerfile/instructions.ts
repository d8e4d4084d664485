// The instructions of a Dockerfile, with one type for each. Values are as written, before variables are expanded; only flags have lost their quotes.
import type { Heredoc } from './heredoc.ts';
import type { LineRange, Statement } from './source.ts';

export interface WrittenInstruction {
  /** The instruction's name, in capitals. */
  readonly name: string;
  /** The keyword as written in the file. */
  readonly keyword: string;
  readonly range: LineRange;
  readonly statement: Statement;
  /** The comment lines directly above. */
  readonly comments: readonly string[];
}

/** A word, and its offset in the statement. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

/** `CMD ["a", "b"]` is the exec form, everything else the shell form. */
export type CommandLine =
  | { readonly form: 'exec'; readonly args: readonly string[] }
  | { readonly form: 'shell'; readonly text: string };

export interface Pair {
  readonly name: string;
  readonly value: string;
  /** `ENV name value`, without `=`. */
  readonly isOldForm: boolean;
}

export interface Argument {
  readonly name: string;
  /** The default value: empty for `ARG X=`, `undefined` for `ARG X`. */
  readonly value: string | undefined;
}

/** What COPY and ADD have in common. */
export interface Files {
  readonly sources: readonly Word[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: Word;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export type Network = 'default' | 'none' | 'host';

export interface Healthcheck {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', text]`. */
  readonly test: readonly string[];
  /** In nanoseconds; 0 is the default. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

export type From = WrittenInstruction & {
  readonly kind: 'from';
  readonly base: Word;
  readonly platform: string | undefined;
  /** The stage's name in lower case. */
  readonly stage: string | undefined;
};
export type Arg = WrittenInstruction & { readonly kind: 'arg'; readonly args: readonly Argument[] };
export type RunInstruction = WrittenInstruction & {
  readonly kind: 'run';
  readonly command: CommandLine;
  readonly heredocs: readonly Heredoc[];
  /** The values of `--mount` as written: they may contain variables. */
  readonly mounts: readonly string[];
  readonly network: Network;
};
export type Copy = WrittenInstruction &
  Files & { readonly kind: 'copy'; readonly from: string | undefined; readonly parents: boolean };
export type Add = WrittenInstruction &
  Files & {
    readonly kind: 'add';
    readonly checksum: string | undefined;
    readonly unpack: boolean | undefined /** `--keep-git-dir` is there. */;
    readonly keepsGit: boolean;
  };
export type Onbuild = WrittenInstruction & {
  readonly kind: 'onbuild';
  /** The instruction as the image's config stores it. */
  readonly text: string;
  readonly trigger: Instruction;
};

/** One type for each kind. */
type Each<Kind extends string, Fields> = Kind extends string
  ? WrittenInstruction & Fields & { readonly kind: Kind }
  : never;

export type Instruction =
  | From
  | Arg
  | RunInstruction
  | Copy
  | Add
  | Onbuild
  | Each<'cmd' | 'entrypoint', { readonly command: CommandLine }>
  | Each<'env' | 'label', { readonly pairs: readonly Pair[] }>
  | Each<'expose', { readonly ports: readonly string[] }>
  | Each<'volume', { readonly volumes: readonly string[] }>
  | Each<'maintainer' | 'user' | 'workdir' | 'stopsignal', { readonly value: string }>
  | Each<'healthcheck', { readonly health: Healthcheck }>
  | Each<'shell', { readonly shell: readonly string[] }>;

export const KEYWORDS: readonly string[] = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
];
