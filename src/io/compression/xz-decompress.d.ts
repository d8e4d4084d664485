// Types for the parts of the package xz-decompress that xz.ts uses; the package's own types leave them out.
declare module 'xz-decompress' {
  const xz: {
    readonly XzReadableStream: {
      readonly _moduleInstance: { readonly exports: import('./xz.ts').XzExports } | undefined;
      _getModuleInstance(): Promise<void>;
    };
  };
  export = xz;
}
