/**
 * An editor like Excalidraw's: it changes elements at once, sends them when it can, and takes what it hears by the rule of
 * Excalidraw's own source, written down here a second time.
 *
 * @module
 */
import * as fc from "fast-check";

export interface DrawnElement {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly versionNonce: number;
  readonly isDeleted: boolean;
  readonly x: number;
  readonly author: string;
}

/** Elements by id. */
export type Canvas = Record<string, DrawnElement>;

/** Numbers that never come twice, in no order, as random ones practically do. */
export class Nonces {
  #count: number;

  constructor(seed: number) {
    this.#count = seed;
  }

  next(): number {
    this.#count++;
    return (this.#count * 7_919) % 1_000_003;
  }
}

export class Editor {
  readonly name: string;
  readonly #scene = new Map<string, DrawnElement>();
  readonly #unsent = new Set<string>();
  readonly #nonces: Nonces;

  constructor(name: string, nonces: Nonces) {
    this.name = name;
    this.#nonces = nonces;
  }

  change(id: string, x: number, isDeleted = false): void {
    const version = (this.#scene.get(id)?.version ?? 0) + 1;
    const versionNonce = this.#nonces.next();
    this.#scene.set(id, { id, type: "rectangle", version, versionNonce, isDeleted, x, author: this.name });
    this.#unsent.add(id);
  }

  /** What was changed since it was taken last. */
  takeUnsent(): DrawnElement[] {
    const elements = [...this.#unsent].map((id) => this.#scene.get(id)!);
    this.#unsent.clear();
    return elements;
  }

  hear(elements: readonly DrawnElement[]): void {
    for (const remote of elements) {
      const local = this.#scene.get(remote.id);
      const isLocalNewer = local && (local.version > remote.version ||
        (local.version === remote.version && local.versionNonce <= remote.versionNonce));
      if (!isLocalNewer) this.#scene.set(remote.id, remote);
    }
  }

  get canvas(): Canvas {
    return Object.fromEntries(this.#scene);
  }
}

/** What one editor does next. */
export interface Step {
  readonly editor: number;
  readonly action: "draw" | "delete" | "send" | "hear" | "leave" | "return" | "return afresh";
  readonly element: number;
}

const ACTIONS = [
  "draw",
  "draw",
  "draw",
  "delete",
  "send",
  "send",
  "hear",
  "hear",
  "leave",
  "return",
] as const;

export const EDITORS = 4;

/** Any interleaving of what some editors do to a few elements. */
export const story = (maxLength: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.record({
      editor: fc.nat(EDITORS - 1),
      action: fc.constantFrom(...ACTIONS, "return afresh" as const),
      element: fc.nat(3),
    }),
    { maxLength, size: "max" },
  );

/** A service without a network. */
export interface Board {
  update(elements: readonly DrawnElement[]): void;
  /** The elements of every update that was told, oldest first. */
  readonly told: readonly (readonly DrawnElement[])[];
  /** All elements, deleted ones included. */
  snapshot(): readonly DrawnElement[];
}

/** Let editors play a story on a board, and bring them together in the end: the canvas of each, the board's last. */
export function play(steps: readonly Step[], board: Board): Canvas[] {
  const nonces = new Nonces(steps.length);
  const editors = Array.from({ length: EDITORS }, (_, index) => {
    return { editor: new Editor(`editor ${index}`, nonces), isThere: true, heard: 0 };
  });
  const send = ({ editor }: { editor: Editor }) => {
    const elements = editor.takeUnsent();
    if (elements.length > 0) board.update(elements);
  };
  const hear = (one: (typeof editors)[number], most = Infinity) => {
    for (let left = most; one.heard < board.told.length && left > 0; left--) {
      one.editor.hear(board.told[one.heard++]!);
    }
  };
  for (const { editor: index, action, element } of steps) {
    const one = editors[index]!;
    if (action === "draw" || action === "delete") {
      one.editor.change(`e${element}`, index, action === "delete");
    } else if (action === "leave") one.isThere = false;
    else if (action === "return") one.isThere = true;
    else if (action === "return afresh") {
      one.isThere = true;
      one.editor.hear(board.snapshot());
      one.heard = board.told.length;
    } else if (!one.isThere) continue;
    else if (action === "send") send(one);
    else hear(one, 1);
  }
  for (const one of editors) send(one);
  for (const one of editors) hear(one);
  const kept = Object.fromEntries(board.snapshot().map((element) => [element.id, element]));
  return [...editors.map(({ editor }) => editor.canvas), kept];
}
