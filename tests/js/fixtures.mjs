// The fixtures that tests/js/test_js.py has written: messages of wire.py and what they hold.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { decodeRecording } from "../../hotmem_viz/views/static/decode.js";

const folder = process.env.HOTMEM_FIXTURES;

export const NAMES = ["tiny", "overview", "moving"];

export function loadMessage(name) {
  return readFileSync(join(folder, `${name}.bin`));
}

export const loadRecording = (name) => decodeRecording(loadMessage(name));

/** What Python says of the same recording, or pair. */
export const loadTruth = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

/** FNV-1a of an array's bytes, as test_js.py computes it. */
export function digestOf(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
