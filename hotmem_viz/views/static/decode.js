// The reader of the wire format; views/wire.py is its maker and describes it.

const ALIGNMENT = 8;
const RECORDING_SCHEMA = 2;
const LINEUP_SCHEMA = 1;
const ARRAY_TYPES = {
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  i4: Int32Array,
  f4: Float32Array,
  f8: Float64Array,
};

async function inflateBytes(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/** Header and arrays by name from an uncompressed message (an ArrayBuffer). */
export function parseMessage(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const [what, version, known] = "lineup_schema" in header
    ? ["lineup", header.lineup_schema, LINEUP_SCHEMA]
    : ["recording", header.schema, RECORDING_SCHEMA];
  if (version !== known) throw new Error(`${what} schema ${version} is not known here`);
  const base = Math.ceil((4 + size) / ALIGNMENT) * ALIGNMENT;
  const arrays = {};
  for (const row of header.arrays) {
    const Type = ARRAY_TYPES[row.dtype];
    if (!Type) throw new Error(`array ${row.name}: type ${row.dtype} is not known here`);
    const length = row.shape.reduce((product, n) => product * n, 1);
    arrays[row.name] = new Type(buffer, base + row.offset, length);
  }
  return { header, arrays };
}

/** What a stage reads of one recording; `looks` has the tables of kinds, which a lineup has once. */
function makeRecording({ meta, events, details }, looks, arrays) {
  const column = new Map(meta.counters.map((counter, i) => [counter.name, i]));
  const width = meta.counters.length;
  return {
    meta,
    events,
    kinds: looks.kinds,
    details,
    movabilities: looks.movabilities,
    sectionStates: looks.section_states ?? [],
    eventKinds: new Map(looks.event_kinds.map((kind) => [kind.name, kind])),
    arrays,
    ticks: arrays.time_ns.length,
    cells: meta.sections.length * meta.cells_per_section,
    /** A counter's value at a tick; `missing` if the recording has no such counter. */
    counter(name, tick, missing = 0) {
      const i = column.get(name);
      return i === undefined ? missing : arrays.counters[tick * width + i];
    },
    hasCounter: (name) => column.has(name),
    /** Whether anybody read the pages: a capture may hold none. */
    hasMap: "kind.keys" in arrays,
  };
}

function arraysOfSide(arrays, side) {
  const prefix = `${side}.`;
  const own = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, array]) => [name.slice(prefix.length), array]));
}

/**
 * What a message shows: {recordings, titles, by, ticks}.
 *
 * A message is a DataView, typed array or ArrayBuffer. Of a single recording `ticks` is null; of
 * a lineup it holds the tick of each recording at every position of the cursor, row by row.
 */
export async function decodeShown(message) {
  const { header, arrays } = parseMessage(await inflateBytes(message));
  if (!header.sides) {
    return { recordings: [makeRecording(header, header, arrays)], titles: [""], by: "tick", ticks: null };
  }
  const recordings = header.sides.map((side, i) => makeRecording(side, header, arraysOfSide(arrays, i)));
  return { recordings, titles: header.titles, by: header.by, ticks: arrays.ticks };
}

/** The recording of a message that carries a single one. */
export async function decodeRecording(message) {
  const { recordings } = await decodeShown(message);
  return recordings[0];
}
