/**
 * What the signals of a process ask of its services.
 *
 * @module
 */
import type { Runtime } from "../ports/runtime.ts";
import { EXIT_CODES } from "./exit-codes.ts";

export interface Signals {
  /** Resolves with the first SIGINT or SIGTERM, or when the terminal is gone. */
  readonly stop: Promise<void>;
  /** Resolves with the exit code when there was another one: whoever asks twice does not want to wait. */
  readonly secondStop: Promise<number>;
  /**
   * Do this on SIGHUP, also where one has come already: once at a time, and once more where one comes meanwhile.
   *
   * @param work Never rejects.
   */
  onReload(work: () => Promise<void>): void;
  forget(): void;
}

export function listenToSignals(runtime: Pick<Runtime, "onStopSignal" | "onHangup">): Signals {
  let stops = 0;
  let stop: () => void = () => {};
  let end: (code: number) => void = () => {};
  const first = new Promise<void>((resolve) => stop = resolve);
  const second = new Promise<number>((resolve) => end = resolve);
  const asked = () => {
    stops++;
    if (stops === 1) return stop();
    if (stops === 2) console.error("Told to stop a second time: ended without waiting");
    end(EXIT_CODES.error);
  };
  let reload: (() => Promise<void>) | null = null;
  let wanted = false;
  let busy = false;
  const work = async () => {
    if (busy || reload === null) return;
    busy = true;
    while (wanted && stops === 0) {
      wanted = false;
      await reload();
    }
    busy = false;
  };
  const forgetStops = runtime.onStopSignal(asked);
  const forgetHangups = runtime.onHangup((meaning) => {
    // A terminal that is gone says so more than once, and nobody sits there who would not wait.
    if (meaning === "gone") return stop();
    wanted = true;
    void work();
  });
  return {
    stop: first,
    secondStop: second,
    onReload(given) {
      reload = given;
      void work();
    },
    forget() {
      forgetStops();
      forgetHangups();
    },
  };
}
