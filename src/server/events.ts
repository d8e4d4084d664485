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
  /** Trouble of the server's own: a bug, a full disk. Never bad input. The client was told no more than its kind. */
  | { readonly type: 'failure'; readonly method: string; readonly url: string; readonly error: unknown };

export type OnServerEvent = (event: ServerEvent) => void;
