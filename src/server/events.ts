// What a server says while it runs: for `serve --verbose`, logs and metrics. Sizes in bytes, times in milliseconds.

export type ServerEvent =
  | {
      readonly type: 'request';
      readonly method: string;
      readonly url: string;
      readonly status: number;
      /** Why it was refused: the code that the client was told. */
      readonly code?: string;
      /** Sent to the client, headers not counted; less than announced where it went away. */
      readonly sent: number;
      readonly received: number;
      readonly duration: number;
      readonly remote: string;
    }
  /** A bug, or trouble that the client was told as 500: never bad input. */
  | { readonly type: 'failure'; readonly method: string; readonly url: string; readonly error: unknown };

export type OnServerEvent = (event: ServerEvent) => void;
