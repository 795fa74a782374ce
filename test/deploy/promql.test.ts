/**
 * What holds queries against /metrics sees their faults: those of the dashboard that ours takes the place of among them.
 */
import { expect, test } from "vitest";
import { parsePrometheus } from "../support/prometheus-text.ts";
import { faultsOf, resultLabels, selectorsOf } from "../support/promql.ts";

const metrics = parsePrometheus(
  `# HELP c_total Counter
# TYPE c_total counter
c_total{server="akosha",error_type="a"} 1
# HELP g Gauge
# TYPE g gauge
g{server="akosha",name="akosha"} 1
# HELP h_seconds Histogram
# TYPE h_seconds histogram
h_seconds_bucket{server="akosha",le="1"} 1
h_seconds_bucket{server="akosha",le="+Inf"} 1
h_seconds_sum{server="akosha"} 1
h_seconds_count{server="akosha"} 1
`,
);

test.each([
  'g{server=~"ako.+|dhruva"}',
  'sum by (server, error_type) (rate(c_total{server!="dhruva"}[5m])) > 0.1',
  "histogram_quantile(0.99, sum by (server, le) (rate(h_seconds_bucket[5m])))",
  'up{job="a"} == 0',
])("faultsOf finds nothing wrong with %s", (expression) => {
  expect(faultsOf(expression, metrics)).toEqual([]);
});

test.each([
  ["g{server=", "cannot be read"],
  ["1 + 1", "asks for no series"],
  ["nothing", "nothing: there is no such series"],
  ["h_seconds", "h_seconds: there is no such series"],
  ['g{server=~"$mahavishnu|akosha.x"}', "g: no series has what is asked of its labels"],
  ['g{server="dhruva"}', "g: no series has what is asked of its labels"],
  ['g{server=~"ako"}', "g: no series has what is asked of its labels"],
  ['g{error_type!="a"}', "g: its series have no label error_type"],
  ["rate(g[5m])", "g: rate of a gauge, which is no counter"],
  ["c_total", "c_total: a counter without rate or increase"],
  ["histogram_quantile(0.99, rate(c_total[5m]))", "c_total: histogram_quantile of what are no buckets"],
  ["histogram_quantile(0.99, h_seconds_bucket)", "h_seconds_bucket: a counter without rate or increase"],
  ["histogram_quantile(0.99, sum by (server) (rate(h_seconds_bucket[5m])))", "a sum that is not by le"],
  ["sum by (channel) (g)", "groups by channel, which no series has"],
])("faultsOf finds what is wrong with %s", (expression, fault) => {
  expect(faultsOf(expression, metrics).join("\n")).toContain(fault);
});

test("selectorsOf and resultLabels read an expression's series and labels", () => {
  const expression = 'sum by (server) (rate(c_total{server=~"a", error_type!="b"}[5m])) / on (server) g';
  expect(selectorsOf(expression)).toEqual([
    {
      metric: "c_total",
      matchers: [{ label: "server", op: "=~", value: "a" }, { label: "error_type", op: "!=", value: "b" }],
      functions: ["rate"],
    },
    { metric: "g", matchers: [], functions: [] },
  ]);
  expect(resultLabels("sum by (server) (rate(c_total[5m]))", metrics)).toEqual(["server"]);
  expect(resultLabels("g", metrics)).toEqual(["server", "name", "instance", "job"]);
});
