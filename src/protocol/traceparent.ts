/**
 * W3C trace context: `traceparent`, by which a request and all that it causes can be found again in every process that
 * it came through. It is handed on as it came. No span of ours is reported to anybody, so an id of our own would name a
 * parent that no tool ever finds.
 *
 * @module
 */

/** Later versions may append to the four fields; that much of it is carried. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]{0,200})?$/;

/** The value where it is a trace context as the W3C writes it; undefined for anything else, which is to be passed over. */
export function readTraceparent(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const [, version, trace, parent, more] = FORM.exec(value) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  return /^0+$/.test(trace!) || /^0+$/.test(parent!) ? undefined : value;
}

/**
 * What a log line says of a request: the names that log tools know, so that a line leads to its trace. `span_id` is the
 * caller's span. Empty where the request carries none.
 *
 * @param traceparent As `readTraceparent` gave it.
 */
export function traceFields(traceparent: string | undefined): { trace_id?: string; span_id?: string } {
  if (traceparent === undefined) return {};
  return { trace_id: traceparent.slice(3, 35), span_id: traceparent.slice(36, 52) };
}
