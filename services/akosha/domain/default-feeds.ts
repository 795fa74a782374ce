/**
 * Feeds where nobody names any: the two services beside this one that tell how work goes, on their usual ports.
 *
 * @module
 */

const project = { project: "/project" };

export const DEFAULT_FEEDS = {
  crackerjack: {
    url: "ws://127.0.0.1:8686",
    channels: {
      global: [
        {
          event: "test.completed",
          metric: "tests.failed",
          value: "/tests_failed",
          labels: project,
          expected: 0,
          scale: 0.2,
        },
        {
          event: "test.completed",
          metric: "tests.duration_seconds",
          value: "/duration_seconds",
          labels: project,
          scale: 0.5,
        },
      ],
      coverage: [
        {
          event: "coverage.updated",
          metric: "coverage.line",
          value: "/line_coverage",
          labels: project,
          scale: 0.5,
        },
      ],
    },
  },
  mahavishnu: {
    url: "ws://127.0.0.1:8690",
    channels: {
      global: [
        { event: "workflow.completed", metric: "workflows.failed", value: 0 },
        { event: "workflow.failed", metric: "workflows.failed", value: 1, expected: 0, scale: 0.2 },
        {
          event: "workflow.completed",
          metric: "workflows.duration_seconds",
          value: "/result/total_duration_ms",
          factor: 0.001,
          scale: 0.5,
        },
      ],
    },
  },
};
