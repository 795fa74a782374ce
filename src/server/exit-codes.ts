/** How a process ends. */
export const EXIT_CODES = {
  /** It is done, or what was waited for has happened. */
  done: 0,
  /** A port, a file or a service failed, or refused; a sentence on standard error says which. */
  error: 1,
  /** The command line, the environment or a settings file is wrong. */
  usage: 2,
  /** What was waited for has not happened in time. */
  timeout: 3,
  /** The service wants a token, or a better one. */
  notAuthorized: 4,
  /** Events are missing from what was told. */
  gap: 5,
  /** Ended by Ctrl-C before what was waited for has happened: 128 and the signal's number, as shells say it. */
  interrupted: 130,
} as const;
