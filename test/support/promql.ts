/**
 * Expressions of PromQL held against what a server really gives: by the grammar that Prometheus' own page uses, and by
 * the text of /metrics.
 *
 * @module
 */
import { parser } from "@prometheus-io/lezer-promql";
import type { Parsed } from "./prometheus-text.ts";

type Node = ReturnType<typeof parser.parse>["topNode"];

/** One series selector within an expression. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly op: string; readonly value: string }[];
  /** Functions around it, the nearest first. */
  readonly functions: readonly string[];
}

/** Labels that Prometheus adds to what it scrapes. */
const TARGET_LABELS = ["instance", "job"];
/** Series that Prometheus makes itself, and their labels. */
const OWN_SERIES: Readonly<Record<string, readonly string[]>> = { up: TARGET_LABELS, ALERTS: [] };
/** Functions that want a counter, or a histogram's parts. */
const OF_COUNTERS = ["rate", "irate", "increase"];

export function selectorsOf(expression: string): Selector[] {
  return nodesOf(expression, "VectorSelector").map((node) => ({
    metric: textOf(expression, node.getChild("Identifier")),
    matchers: descendants(node, "UnquotedLabelMatcher").map((matcher) => ({
      label: textOf(expression, matcher.getChild("LabelName")),
      op: textOf(expression, matcher.getChild("MatchOp")),
      value: JSON.parse(textOf(expression, matcher.getChild("StringLiteral"))),
    })),
    functions: functionsAround(expression, node),
  }));
}

/** What is wrong with an expression at a server that gives this text; nothing where all of it is there. */
export function faultsOf(expression: string, { types, samples }: Parsed): string[] {
  const faults: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, from }) => {
      if (type.isError) faults.push(`cannot be read from "${expression.slice(from)}" on`);
    },
  });
  if (faults.length > 0) return faults;
  const selectors = selectorsOf(expression);
  if (selectors.length === 0) faults.push("asks for no series");
  for (const { metric, matchers, functions } of selectors) {
    const series = samples.filter(({ name }) => name === metric);
    const own = OWN_SERIES[metric];
    if (!own && series.length === 0) {
      faults.push(`${metric}: there is no such series`);
      continue;
    }
    const found = series.filter(({ labels }) => matchers.every((matcher) => matches(labels, matcher)));
    for (const { label } of matchers) {
      const known = own?.includes(label) || series.some(({ labels }) => label in labels);
      if (!known) faults.push(`${metric}: its series have no label ${label}`);
    }
    if (!own && found.length === 0) faults.push(`${metric}: no series has what is asked of its labels`);
    const type = types.get(metric) ?? types.get(metric.replace(/_(bucket|sum|count)$/, ""));
    const counts = type === "counter" || (type === "histogram" && !types.has(metric));
    const counting = functions.some((name) => OF_COUNTERS.includes(name));
    if (counting && !counts) faults.push(`${metric}: ${functions[0]} of a ${type}, which is no counter`);
    if (!counting && counts) faults.push(`${metric}: a counter without rate or increase`);
    if (functions.includes("histogram_quantile") && !metric.endsWith("_bucket")) {
      faults.push(`${metric}: histogram_quantile of what are no buckets`);
    }
  }
  for (const label of groupingOf(expression)) {
    const known = samples.some(({ name, labels }) =>
      label in labels && selectors.some(({ metric }) => metric === name)
    );
    if (!known && !TARGET_LABELS.includes(label)) faults.push(`groups by ${label}, which no series has`);
  }
  for (const node of nodesOf(expression, "AggregateExpr")) {
    if (!functionsAround(expression, node).includes("histogram_quantile")) continue;
    if (!descendants(node, "LabelName").some((label) => textOf(expression, label) === "le")) {
      faults.push("histogram_quantile of a sum that is not by le");
    }
  }
  return faults;
}

/** Labels that the expression's series have for sure, for legends. */
export function resultLabels(expression: string, { samples }: Parsed): string[] {
  const [aggregation] = nodesOf(expression, "AggregateExpr");
  if (aggregation) {
    const grouping = aggregation.getChild("AggregateModifier")?.getChild("GroupingLabels");
    return (grouping?.getChildren("LabelName") ?? []).map((label) => textOf(expression, label));
  }
  const metrics = selectorsOf(expression).map(({ metric }) => metric);
  const labels = samples.filter(({ name }) => metrics.includes(name)).flatMap(({ labels }) =>
    Object.keys(labels)
  );
  return [...new Set([...labels, ...TARGET_LABELS])];
}

/** Prometheus anchors regular expressions at both ends. */
function matches(
  labels: Readonly<Record<string, string>>,
  { label, op, value }: Selector["matchers"][number],
): boolean {
  const actual = labels[label] ?? "";
  if (op === "=") return actual === value;
  if (op === "!=") return actual !== value;
  const fits = new RegExp(`^(?:${value})$`).test(actual);
  return op === "=~" ? fits : !fits;
}

function groupingOf(expression: string): string[] {
  return nodesOf(expression, "GroupingLabels").flatMap((node) =>
    node.getChildren("LabelName").map((label) => textOf(expression, label))
  );
}

function functionsAround(expression: string, node: Node): string[] {
  const names: string[] = [];
  for (let outer = node.parent; outer; outer = outer.parent) {
    if (outer.name === "FunctionCall") names.push(textOf(expression, outer.getChild("FunctionIdentifier")));
  }
  return names;
}

function nodesOf(expression: string, name: string): Node[] {
  return descendants(parser.parse(expression).topNode, name);
}

function descendants(node: Node, name: string): Node[] {
  const found: Node[] = [];
  node.cursor().iterate((inner) => {
    if (inner.name === name) found.push(inner.node);
  });
  return found;
}

function textOf(expression: string, node: Node | null): string {
  return node ? expression.slice(node.from, node.to) : "";
}
