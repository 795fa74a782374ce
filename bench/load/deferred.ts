/**
 * A promise that is settled from outside: what `Promise.withResolvers` gives where it exists (Node 20 has none).
 *
 * @module
 */
export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

export function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((...both) => [resolve, reject] = both);
  return { promise, resolve, reject };
}
