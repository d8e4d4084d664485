// What is used of the package xz-decompress; its own types leave it out. See xz.ts.
declare module 'xz-decompress' {
  const xz: {
    readonly XzReadableStream: {
      readonly _moduleInstance: { readonly exports: import('./xz.ts').XzExports } | undefined;
      _getModuleInstance(): Promise<void>;
    };
  };
  export = xz;
}
