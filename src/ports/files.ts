/**
 * Files, as far as services need them.
 *
 * @module
 */

export interface Files {
  /**
   * The file's text (UTF-8, at most 16 MiB), or undefined where there is none. Other failures reject with a sentence that
   * names the path, a device or a pipe among them.
   */
  readText(path: string): Promise<string | undefined>;
  /** What is at this path. */
  kind(path: string): Promise<"file" | "folder" | "missing">;
  /** Make a folder and those above it; nothing where it exists. */
  makeFolder(path: string): Promise<void>;
  /** An absolute path, from the process's working directory. */
  resolve(...parts: string[]): string;
}
