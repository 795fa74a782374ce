/** The project's version; a script compares it with the manifests. */
export const VERSION = "0.1.0";
