/**
 * The fields that the contract of excalidraw is made of, each with its bounds.
 *
 * Optional fields of requests may also be null: clients that serialise a model send one for what is not set.
 *
 * @module
 */
import * as v from "valibot";
import { between, count, jsonObject, text, time, whole } from "../../src/protocol/fields.ts";

/** Characters of a diagram's id: the channel `presence:{diagram_id}` must stay within 255. */
export const MAX_DIAGRAM_ID_LENGTH = 200;
/** Characters of an element's or an image file's id. */
export const MAX_ELEMENT_ID_LENGTH = 200;
/** Levels of objects and arrays in an element, an image file or the state of the canvas. */
export const MAX_DEPTH = 32;
/** Characters of a user's id: those of an OpenID subject. A full presence channel must fit into a frame. */
export const MAX_USER_ID_LENGTH = 255;
/** Characters of the name beside a cursor. */
export const MAX_NAME_LENGTH = 128;
/** Characters of an import's text. */
const MAX_CONTENT_LENGTH = 4_194_304;

export const diagramId = text(
  1,
  MAX_DIAGRAM_ID_LENGTH,
  "Id of the diagram: 1 to 200 characters, no control characters, neither '*' nor ending in ':*'",
);
export const title = text(1, 200, "Title of the diagram");
export const version = whole(
  1,
  Number.MAX_SAFE_INTEGER,
  "Version of the diagram: 1 at the start, one more with every change",
);
export const userId = text(
  1,
  MAX_USER_ID_LENGTH,
  "Who acts. Default: whom the token names, or a guest of this connection",
);
/** In what is told of a change, which may have come from somebody without a name. */
export const toldUserId = v.pipe(v.nullable(v.string()), v.description("Who has changed it, where known"));
const name = text(1, MAX_NAME_LENGTH, "Name to show beside the cursor");
const color = text(1, 64, "Colour of the cursor, such as #e03131");

export const givenUserInfo = v.pipe(
  v.object({ name: v.nullish(name), color: v.nullish(color) }),
  v.description("How the user is shown. Default: the id as the name, and a colour made of the id"),
);
export const userInfo = v.object({ name, color });

const coordinate = (axis: string) => between(-1e9, 1e9, `Place on the ${axis} axis of the canvas`);
export const position = v.pipe(
  v.object({ x: coordinate("x"), y: coordinate("y") }),
  v.description("Place on the canvas"),
);

export const elements = v.pipe(
  v.array(jsonObject()),
  v.description(
    "Excalidraw elements, each whole and with an id and a type of its own. Without a `version` it is one more than " +
      "the one that is there; fields that are not known here are kept",
  ),
);
export const changedElements = v.pipe(
  v.array(jsonObject()),
  v.description("The elements that were changed, deleted ones with isDeleted"),
);

/** A diagram as lists show it. */
export const diagramHead = {
  diagram_id: diagramId,
  title,
  version,
  element_count: count("Elements that are not deleted"),
  deleted_count: count("Deleted elements that are still kept, for editors that come late"),
  bytes: count("What it counts for against the setting diagram_bytes"),
  created_at: time("When it was made"),
  updated_at: time("When it was changed last"),
};

export const appState = v.pipe(
  jsonObject(),
  v.description("State of the canvas, such as viewBackgroundColor"),
);
export const files = v.pipe(jsonObject(), v.description("Data of image elements by fileId"));

export const diagram = {
  ...diagramHead,
  elements: v.pipe(v.array(jsonObject()), v.description("From the back to the front")),
  app_state: appState,
  files,
};

export const user = v.object({
  user_id: v.string(),
  user_info: userInfo,
  connections: count("How often the user has joined"),
});
export const users = v.pipe(v.array(user), v.description("Who is in the diagram now"));

export const content = text(1, MAX_CONTENT_LENGTH, "Text of a `.excalidraw` file");
export const documentInput = v.pipe(jsonObject(), v.description("A `.excalidraw` file as JSON"));
