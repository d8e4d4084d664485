// What a Dockerfile says: one type an instruction. Values are as they are written, before variables are expanded, but for quotes of flags.
import type { Heredoc } from './heredoc.ts';
import type { LineRange, Statement } from './source.ts';

export interface WrittenInstruction {
  /** In capitals. */
  readonly name: string;
  /** As the file has it. */
  readonly keyword: string;
  readonly range: LineRange;
  readonly statement: Statement;
  /** Comment lines right above. */
  readonly comments: readonly string[];
}

/** A word, and where it stands in the statement. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

/** `CMD ["a", "b"]` is exec, everything else is for a shell. */
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
  /** `ARG X=` has an empty one, `ARG X` none. */
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
  /** In lower case. */
  readonly stage: string | undefined;
};
export type Arg = WrittenInstruction & { readonly kind: 'arg'; readonly args: readonly Argument[] };
export type RunInstruction = WrittenInstruction & {
  readonly kind: 'run';
  readonly command: CommandLine;
  readonly heredocs: readonly Heredoc[];
  /** As they are written: their values may hold variables. */
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
  /** As the config keeps it. */
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
