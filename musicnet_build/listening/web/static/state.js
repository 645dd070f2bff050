/** What the page knows and shows; pictures read it, actions change it. */

import { UNSURE } from './canvas.js';

const SPAN_S = 10;
const MARGIN_PITCHES = 4;
const LEAST_PITCHES = 30;

/** @returns {object} the state before anything is open */
export function emptyState() {
  return {
    facts: { id: '', spans: [], instruments: [], labels: [], samples: 1 },
    sets: [],
    heard: 0,
    chosen: null,
    apartS: null,
    judge: { judged: new Map(), missing: new Map() },
    window: { startS: 0, spanS: SPAN_S },
    pitches: [48, 84],
    selection: null,
    playing: new Set(),
    colour: 'confidence',
    positionS: 0,
    durationS: 1,
    active: false,
    loop: false,
    voice: 'tones',
    version: 0,
    queue: [],
    differences: [],
    get notes() {
      return this.sets[this.heard] || NO_NOTES;
    },
  };
}

const NO_NOTES = { count: 0, rate: 44100, hasConfidence: false, rowsWithin: () => [0, 0], onsetS: () => 0 };

/** Fill the state with a recording that was opened. */
export function takeRecording(state, facts, sets) {
  Object.assign(state, {
    facts,
    sets,
    heard: 0,
    chosen: null,
    apartS: null,
    selection: null,
    durationS: facts.samples / sets[0].rate,
    window: { startS: 0, spanS: Math.min(SPAN_S, facts.samples / sets[0].rate) },
    playing: new Set(facts.instruments.map((one) => one.number)),
    differences: sets.length > 1 ? sets[0].differences(sets[1]) : [],
  });
  const ranges = sets.map((notes) => notes.range());
  const low = Math.min(...ranges.map((range) => range[0])) - MARGIN_PITCHES;
  const high = Math.max(...ranges.map((range) => range[1])) + 2 * MARGIN_PITCHES;
  const spare = Math.max(0, LEAST_PITCHES - (high - low)) >> 1;
  state.pitches = [Math.max(21, low - spare), Math.min(108, high + spare)];
  takeLabels(state);
}

/** What follows from which label set is heard. */
export function takeLabels(state) {
  state.queue = state.notes.byDoubt();
  state.version += 1;
}

/** @returns {number} how many notes of the heard set are doubtful */
export const doubtfulCount = (state) => state.notes.confidence.reduce((sum, one) => sum + (one < UNSURE), 0);

/** Move the window so that a moment is in it: following keeps it at a third, else only where it has left. */
export function follow(state, seconds, { turn }) {
  const { window, durationS } = state;
  if (turn) {
    if (seconds >= window.startS && seconds < window.startS + window.spanS * 0.98) return;
    window.startS = seconds - 0.05 * window.spanS;
  } else {
    window.startS = seconds - window.spanS / 3;
  }
  if (window.spanS >= durationS) window.startS = 0;
}

/** See a larger or smaller part of the piece around the present position. */
export function zoomBy(state, factor) {
  const { window, durationS, positionS } = state;
  const before = window.spanS;
  window.spanS = Math.min(durationS, Math.max(1, before * factor));
  const place = Math.min(1, Math.max(0, (positionS - window.startS) / before));
  window.startS = window.spanS >= durationS ? 0 : positionS - place * window.spanS;
}
