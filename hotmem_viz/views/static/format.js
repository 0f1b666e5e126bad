// Numbers and words for people.

const BYTES_PER_UNIT = 1024;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 12345 -> "12,345". */
export function formatCount(n) {
  return GROUPED.format(n);
}

/** Bytes in the largest unit that leaves at least 1: three significant digits. */
export function formatBytes(bytes) {
  let unit = 0;
  let value = bytes;
  while (Math.abs(value) >= BYTES_PER_UNIT && unit < UNITS.length - 1) {
    value /= BYTES_PER_UNIT;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Nanoseconds of model time in a fitting unit. */
export function formatTime(ns) {
  if (ns < 1e3) return `${ns.toFixed(0)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`;
  if (ns < 60e9) return `${(ns / 1e9).toFixed(1)} s`;
  const minutes = Math.floor(ns / 60e9);
  return `${minutes} min ${((ns - minutes * 60e9) / 1e9).toFixed(0)} s`;
}

/** 1, 8 -> "12.5 %". */
export function formatPercent(part, whole = 1) {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

/** "HIGHATOMIC" -> "Highatomic". */
export function formatType(name) {
  return name.charAt(0).toUpperCase() + name.slice(1).toLowerCase();
}

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
