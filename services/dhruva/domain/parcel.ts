/**
 * What is brought to a target, and how a target fails.
 *
 * @module
 */
import type { Digest } from "../../../src/ports/blob-files.ts";

export interface Parcel extends Digest {
  readonly adapter_id: string;
  readonly version: string;
  readonly distribution_id: string;
  /** The content. Fails where it is not sound. */
  read(): AsyncGenerator<Uint8Array, void, void>;
}

/** A target has not done what it should. The message is one sentence for the operator, without secrets. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
}
