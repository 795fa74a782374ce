/**
 * The graph of entities and relations that knowledge items speak of, over all sessions.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";

export interface Entity {
  readonly name: string;
  readonly type: string | null;
}

export interface Relation {
  readonly from: string;
  readonly to: string;
  readonly type: string;
}

/** What is around an entity. */
export interface Neighbourhood {
  /** The name as it was first given. */
  readonly entity: string;
  readonly depth: number;
  /** Nearest first, beginning with the one asked for. */
  readonly entities: (Entity & { readonly mentions: number; readonly distance: number })[];
  readonly relations: (Relation & { readonly mentions: number })[];
  /** True where more is near than is answered. */
  readonly truncated: boolean;
}

interface EntityRow {
  number: number;
  name: string;
  type: string | null;
  mentions: number;
}

interface RelationRow {
  number: number;
  from_entity: number;
  to_entity: number;
  type: string;
  mentions: number;
}

/** Most that one answer holds. */
export const MAX_GRAPH_ENTITIES = 200;
export const MAX_GRAPH_RELATIONS = 500;

/** Names that differ by case, by blanks around them, or by how accents are composed, are one entity. */
function keyOf(name: string): string {
  return name.trim().normalize("NFC").toLowerCase();
}

/** Each entity once, those that only a relation names included. The first name and the first type given hold. */
export function namedEntities(entities: readonly Entity[], relations: readonly Relation[]): Entity[] {
  const byKey = new Map<string, Entity>();
  const ends = relations.flatMap(({ from, to }) => [from, to]).map((name) => ({ name, type: null }));
  for (const entity of [...entities, ...ends]) {
    const known = byKey.get(keyOf(entity.name));
    const { name, type } = known ?? entity;
    byKey.set(keyOf(entity.name), { name, type: type ?? entity.type });
  }
  return [...byKey.values()];
}

export class Graph {
  readonly #addEntity: Statement;
  readonly #addRelation: Statement;
  readonly #byKey: Statement;
  readonly #byNumber: Statement;
  readonly #around: Statement;

  constructor(database: Database) {
    this.#addEntity = database.prepare(
      "INSERT INTO entities (key, name, type, mentions) VALUES (?, ?, ?, 1) ON CONFLICT (key) DO UPDATE " +
        "SET mentions = mentions + 1, type = coalesce(type, excluded.type)",
    );
    this.#addRelation = database.prepare(
      "INSERT INTO relations (from_entity, to_entity, type, mentions) SELECT f.number, t.number, ?, 1 " +
        "FROM entities f, entities t WHERE f.key = ? AND t.key = ? " +
        "ON CONFLICT (from_entity, to_entity, type) DO UPDATE SET mentions = mentions + 1",
    );
    this.#byKey = database.prepare("SELECT number, name, type, mentions FROM entities WHERE key = ?");
    this.#byNumber = database.prepare("SELECT number, name, type, mentions FROM entities WHERE number = ?");
    this.#around = database.prepare(
      "SELECT number, from_entity, to_entity, type, mentions FROM relations " +
        "WHERE from_entity = ? OR to_entity = ? ORDER BY mentions DESC, number LIMIT ?",
    );
  }

  /** Add what one knowledge item names. `entities` are those of `namedEntities`. */
  add(entities: readonly Entity[], relations: readonly Relation[]): void {
    for (const { name, type } of entities) this.#addEntity.run(keyOf(name), name, type);
    const once = new Map(relations.map((relation) => {
      const ends = [keyOf(relation.from), keyOf(relation.to)] as const;
      return [JSON.stringify([...ends, relation.type]), { ends, type: relation.type }];
    }));
    for (const { ends: [from, to], type } of once.values()) this.#addRelation.run(type, from, to);
  }

  /**
   * Entities within `depth` relations of one, in either direction, and the relations that lead to them. At most 200
   * entities and 500 relations, the most mentioned first.
   *
   * @throws {Refusal} NOT_FOUND
   */
  around(name: string, depth: number): Neighbourhood {
    const root = this.#byKey.get<EntityRow>(keyOf(name));
    if (!root) throw new Refusal("NOT_FOUND", `No entity '${name}'`);
    const found = new Map([[root.number, { row: root, distance: 0 }]]);
    const walked = new Map<number, RelationRow>();
    let truncated = false;
    // A map visits what is added while it is walked: breadth first.
    for (const [number, { distance }] of found) {
      if (distance === depth) break;
      const relations = this.#around.all<RelationRow>(number, number, MAX_GRAPH_RELATIONS + 1);
      for (const relation of relations) {
        if (walked.has(relation.number)) continue;
        const other = relation.from_entity === number ? relation.to_entity : relation.from_entity;
        if (walked.size === MAX_GRAPH_RELATIONS || (!found.has(other) && found.size === MAX_GRAPH_ENTITIES)) {
          truncated = true;
          continue;
        }
        walked.set(relation.number, relation);
        const row = found.has(other) ? undefined : this.#byNumber.get<EntityRow>(other);
        if (row) found.set(other, { row, distance: distance + 1 });
      }
    }
    const nameOf = (number: number): string => found.get(number)?.row.name ?? "";
    return {
      entity: root.name,
      depth,
      entities: [...found.values()].map(({ row, distance }) => ({
        name: row.name,
        type: row.type,
        mentions: Number(row.mentions),
        distance,
      })),
      relations: [...walked.values()].map((row) => ({
        from: nameOf(row.from_entity),
        to: nameOf(row.to_entity),
        type: row.type,
        mentions: Number(row.mentions),
      })),
      truncated,
    };
  }
}
