/**
 * The tables that every service has in its database, beside those of its manager.
 *
 * @module
 */
import { ANSWER_STEPS } from "./answer-table.ts";
import { EVENT_STEPS } from "./event-schema.ts";
import { LEASE_OWNER, LEASE_STEPS } from "./leases.ts";
import type { Tables } from "./migrations.ts";

export const STANDARD_TABLES: readonly Tables[] = [
  { owner: "events", steps: EVENT_STEPS },
  { owner: "answers", steps: ANSWER_STEPS },
  { owner: LEASE_OWNER, steps: LEASE_STEPS },
];
