// What a scan did with each file, and why. For people who look for a finding that is not there, or for one that should not be.

export type ScanEvent =
  /** A tree rule has handled the file: no document rule sees it. */
  | { readonly type: 'claimed'; readonly file: string; readonly rule: string }
  /** The file was read. `found`: the number of findings of each rule. */
  | {
      readonly type: 'read';
      readonly file: string;
      readonly documents: number;
      readonly found: Readonly<Record<string, number>>;
    }
  /** A part of a file was not parsed: it is large and has the clue of no rule. `line`: where it begins. */
  | { readonly type: 'not-parsed'; readonly file: string; readonly line: number; readonly size: number }
  /** The file was not read: its name is not that of a manifest. */
  | { readonly type: 'skipped'; readonly file: string };

export type OnScanEvent = (event: ScanEvent) => void;
