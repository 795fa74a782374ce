/**
 * What a source file says about itself: what it imports, whose names it uses. Read by the compiler's own parser, so
 * that comments and strings never count.
 *
 * @module
 */
import { posix } from "node:path";
import ts from "typescript";

export interface Import {
  /** As written; null where it is computed. */
  readonly specifier: string | null;
  /** The file it leads to, from the project's folder; undefined for a package. */
  readonly file?: string;
  /** True for `import type` and `export type`, which load nothing; `import { type A }` does load its file. */
  readonly typeOnly: boolean;
  /** True for `import("…")` in code. */
  readonly dynamic: boolean;
}

/** The use of a name that belongs to a runtime or to the clock: `Deno`, `process`, `setTimeout`, `Date.now`. */
export interface NameUse {
  readonly name: string;
  readonly line: number;
}

export interface Source {
  /** From the project's folder, with `/`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly names: readonly NameUse[];
  readonly hasDefaultExport: boolean;
}

const RUNTIME_GLOBALS = new Set(["Deno", "Bun", "process"]);
const TIMER_GLOBALS = new Set(["setTimeout", "setInterval", "setImmediate"]);
const CLOCK_MEMBERS = new Set(["Date.now", "performance.now"]);

export function readSource(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
  const imports: Import[] = [];
  const names: NameUse[] = [];
  let hasDefaultExport = false;

  const addImport = (specifier: ts.Node | undefined, typeOnly: boolean, dynamic: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) {
      imports.push({ specifier: null, typeOnly, dynamic });
    } else if (specifier.text.startsWith(".")) {
      const file = posix.join(posix.dirname(path), specifier.text);
      imports.push({ specifier: specifier.text, file, typeOnly, dynamic });
    } else imports.push({ specifier: specifier.text, typeOnly, dynamic });
  };
  const addName = (name: string, node: ts.Node): void => {
    names.push({ name, line: tree.getLineAndCharacterOfPosition(node.getStart()).line + 1 });
  };

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      addImport(node.moduleSpecifier, typeOnly, false);
    } else if (ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier) addImport(node.moduleSpecifier, node.isTypeOnly, false);
      const exported = node.exportClause;
      if (exported && ts.isNamedExports(exported)) {
        hasDefaultExport ||= exported.elements.some((element) => element.name.text === "default");
      }
    } else if (ts.isImportTypeNode(node)) {
      addImport(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true, false);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      addImport(node.arguments[0], false, true);
    } else if (ts.isExportAssignment(node)) hasDefaultExport = true;
    else if (node.kind === ts.SyntaxKind.DefaultKeyword && ts.isModifier(node)) hasDefaultExport = true;
    else if (ts.isIdentifier(node) && !isOwnName(node)) {
      const member = `${node.text}.${memberOf(node)}`;
      if (RUNTIME_GLOBALS.has(node.text) || TIMER_GLOBALS.has(node.text)) addName(node.text, node);
      else if (CLOCK_MEMBERS.has(member)) addName(member, node);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);

  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return { path, lines, imports, names, hasDefaultExport };
}

/** `now` of `Date.now` and of `globalThis.Date.now`. */
function memberOf(node: ts.Identifier): string | undefined {
  let target: ts.Node = node;
  if (ts.isPropertyAccessExpression(target.parent) && target.parent.name === target) target = target.parent;
  const parent = target.parent;
  return ts.isPropertyAccessExpression(parent) && parent.expression === target ? parent.name.text : undefined;
}

/** True for a name that the file gives to something itself: `row.process`, `{ process: … }`, a field, a parameter. */
function isOwnName(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return !(ts.isIdentifier(parent.expression) && parent.expression.text === "globalThis");
  }
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isQualifiedName(parent)) {
    return ts.isQualifiedName(parent) && parent.right === node;
  }
  return "name" in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent);
}
