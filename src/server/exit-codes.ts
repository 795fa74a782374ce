/** How a process ends. */
export const EXIT_CODES = {
  done: 0,
  /** A port, a file or a service failed; a sentence on standard error says which. */
  error: 1,
  /** The command line, the environment or a settings file is wrong. */
  usage: 2,
} as const;
