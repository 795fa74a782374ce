/**
 * Colours, where they are wanted.
 *
 * @module
 */

const CODES = {
  dim: [2, 22],
  bold: [1, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Style = keyof typeof CODES;
/** The text in a style, or as it is where no colours are wanted. */
export type Paint = (style: Style, text: string) => string;

/** What is asked of the environment. Of `NO_COLOR` and `FORCE_COLOR` the first wins. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Whether what is written to the stream may be coloured. */
export function wantsColor(stream: { readonly isTTY?: boolean }, environment: Environment): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return stream.isTTY === true && TERM !== "dumb";
}

export function paintFor(stream: { readonly isTTY?: boolean }, environment: Environment): Paint {
  if (!wantsColor(stream, environment)) return (_, text) => text;
  return (style, text) => {
    const [on, off] = CODES[style];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}
