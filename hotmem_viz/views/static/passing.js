// What is seen on the way from one tick to another: cells that glow, pages that fly, marks that pulse.

import { flightTime, tickRate } from "./transport.js";

const NEAR = 12;
const FASTEST_GLOW = 30;

/** Bring all sides from a position of the cursor to where the transport stands now. */
export function passTicks(stage, before) {
  const { sides, timeline, transport } = stage;
  const { tick } = transport;
  const jumped = Math.abs(tick - before) > NEAR;
  const glow = !jumped && tickRate(transport) <= FASTEST_GLOW;
  const flightMs = flightTime(transport);
  for (const side of sides) {
    const met = side.seek(timeline.tickAt(tick, side.index), { glow, jumped, flightMs });
    for (const event of met) announce(stage, side, event);
  }
}

function announce({ told, zones, theme }, side, event) {
  side.pulse(event, side.recording.eventKinds.get(event.kind)?.[theme] ?? "currentColor");
  const place = told.indexOf(side);
  if (event.zone >= 0 && place >= 0) zones.flash(place, event.zone);
}
