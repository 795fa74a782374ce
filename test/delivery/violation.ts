/** What a run has done against the promises of delivery, in a sentence. */
export class Violation extends Error {
  override readonly name = "Violation";
}
