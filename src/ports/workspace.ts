/**
 * What a service needs that works in other people's folders: where a path really leads, reads that are bounded, and a
 * folder of its own for as long as the work lasts.
 *
 * @module
 */

export interface PathFacts {
  /** `other` is what must not be opened: devices, pipes, sockets. */
  readonly kind: "file" | "folder" | "other";
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the Unix epoch, by the clock of the file system. */
  readonly modifiedMs: number;
}

/** Every method rejects with a sentence that names the path, besides what is said. */
export interface Workspace {
  /** What separates the parts of a path and the folders of a variable like PATH. */
  readonly separator: string;
  readonly listSeparator: string;
  /** The path with every symbolic link followed; undefined where nothing is there. */
  realPath(path: string): Promise<string | undefined>;
  /** Undefined where nothing is there. */
  facts(path: string): Promise<PathFacts | undefined>;
  /**
   * Bytes of a file from `offset` on, at most `maxBytes`. Fewer only at its end; none at or past it, and where there
   * is no file.
   */
  readFrom(path: string, offset: number, maxBytes: number): Promise<Uint8Array>;
  /** Write a file, in place of one that is there. */
  write(path: string, text: string): Promise<void>;
  /** A new folder for files that nobody else should read. */
  makeTemporaryFolder(prefix: string): Promise<string>;
  /** Remove a file or a folder with all in it; nothing where there is none. */
  remove(path: string): Promise<void>;
  /** A variable of this process's environment. */
  variable(name: string): string | undefined;
}
