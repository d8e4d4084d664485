// The files of a containers-storage store, in a directory or in a tar archive that is not unpacked.

export interface StoreFiles extends AsyncDisposable {
  /** The path, for messages. */
  readonly label: string;
  /** Reads a whole file below the graph root. Returns `undefined` if there is none. Errors: NO_ACCESS. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** The files of a layer's unpacked tree, by their names in the layer's archive. */
  layerContent(id: string): Promise<LayerContent>;
}

export interface LayerContent {
  /**
   * The bytes of the file. Symbolic links on the way are followed within the tree, the last name is not followed. Errors: TAR_INVALID (missing, or not a
   * regular file), NO_ACCESS.
   */
  open(name: string, size: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}
