/**
 * What the process says when it ends.
 *
 * @module
 */
export const EXIT = {
  done: 0,
  /** Something went wrong that a sentence on standard error explains. */
  error: 1,
  /** The command line or a settings file is wrong. */
  usage: 2,
} as const;
