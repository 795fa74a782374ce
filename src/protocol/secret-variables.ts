/**
 * The environment variables that hold secrets of services. They are no child process's business; several services may
 * run in one process.
 *
 * @module
 */
import { SERVICE_PORTS } from "./service-ports.ts";

/** To be taken away from a child's environment. */
export const WITHOUT_SECRETS: Readonly<Record<string, null>> = Object.fromEntries(
  [...Object.keys(SERVICE_PORTS), "bodai"].flatMap((name) => {
    const prefix = name.toUpperCase().replaceAll("-", "_");
    return [[`${prefix}_JWT_SECRET`, null], [`${prefix}_SHARED_SECRET`, null]];
  }),
);
