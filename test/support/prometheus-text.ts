/**
 * The classic text format of Prometheus (0.0.4), as strict as a scraper that takes nothing else.
 *
 * @module
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A text of metrics, read. */
export interface Parsed {
  /** Type by family, in the order of the text. */
  readonly types: Map<string, string>;
  /** Value by series, as written before the value. */
  readonly values: Map<string, number>;
  readonly samples: Sample[];
}

/** Reads text format 0.0.4 line by line; throws at the first line that is none of it. */
export function parsePrometheus(text: string): Parsed {
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  const samples: Sample[] = [];
  const helped = new Set<string>();
  let family = "";
  if (!text.endsWith("\n")) throw new Error("The last line has no end");
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    const sample =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"(?:,(?!\})|(?=\})))*\})? (\S+)$/
        .exec(line);
    if (help) {
      if (helped.has(help[1]!)) throw new Error(`Helped twice: ${line}`);
      helped.add(family = help[1]!);
    } else if (type) {
      if (type[1] !== family) throw new Error(`Type of another family: ${line}`);
      types.set(family, type[2]!);
    } else if (sample) {
      const [, name, labels = "", value] = sample as unknown as [string, string, string | undefined, string];
      const suffixes = types.get(family) === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!suffixes.some((suffix) => name === family + suffix)) throw new Error(`Stray sample: ${line}`);
      if (Number.isNaN(Number(value))) throw new Error(`No number: ${line}`);
      if (values.has(name + labels)) throw new Error(`Series twice: ${line}`);
      values.set(name + labels, Number(value));
      samples.push({ name, labels: labelsIn(labels), value: Number(value) });
    } else throw new Error(`Not of the format: ${line}`);
  }
  return { types, values, samples };
}

function labelsIn(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"/g)) {
    labels[name!] = value!.replaceAll(/\\(.)/g, (_, escaped: string) => escaped === "n" ? "\n" : escaped);
  }
  return labels;
}
