/** What each key and button does. Moving by key or button plays at once: next must also be heard. */

import { follow, takeLabels, zoomBy } from './state.js';

const BEFORE_S = 0.8;
const AFTER_S = 1.2;
const CUT_S = 0.4;
const PAUSE_MS = 900;
const EXCERPT_S = 10;
const NOTE_VALUES = ['fine', 'tone_early', 'tone_late', 'wrong_pitch', 'not_played', 'clear'];
const VERDICTS = ['accepted', 'review', 'rejected'];

/** @param {import('./app.js').Page} page @returns {Record<string, () => void>} */
export function actionsOf(page) {
  const { state, player } = page;
  const actions = {
    play: () => (player.active() ? player.stop() : page.playFrom(state.positionS)),
    'play-selection': () => page.playSpan(...span()),
    loop: () => {
      state.loop = !state.loop;
      page.pressed('loop', state.loop);
      if (state.loop) page.playSpan(...span());
      else if (player.active()) page.playFrom(state.positionS);
    },
    only: () => {
      player.only = { '': 'labels', labels: 'recording', recording: '' }[player.only];
      player.level();
      page.say(player.only ? `${player.only} alone` : 'recording and labels');
    },
    'mix-recording': () => page.mixTo(player.mix - 0.1),
    'mix-labels': () => page.mixTo(player.mix + 0.1),
    back: () => page.playFrom(state.positionS - 1),
    forward: () => page.playFrom(state.positionS + 1),
    'back-far': () => page.playFrom(state.positionS - 5),
    'forward-far': () => page.playFrom(state.positionS + 5),
    beginning: () => page.playFrom(0),
    end: () => page.playFrom(state.durationS - EXCERPT_S),
    middle: () => page.playFrom((0.1 + 0.8 * Math.random()) * Math.max(0, state.durationS - EXCERPT_S)),
    'next-note': () => step(1),
    'previous-note': () => step(-1),
    'next-doubtful': () => queued(1),
    'previous-doubtful': () => queued(-1),
    'next-span': nextSpan,
    'next-difference': nextDifference,
    'swap-labels': () => page.hear((state.heard + 1) % state.sets.length),
    'zoom-in': () => zoom(0.5),
    'zoom-out': () => zoom(2),
    'cut-before': () => cut(-CUT_S, 0),
    'cut-after': () => cut(0, CUT_S),
    'cut-both': () => cut(-CUT_S, 0).then((ended) => ended && setTimeout(() => cut(0, CUT_S), PAUSE_MS)),
    missing: () => {
      page.judge.missingAt(Math.max(0, Math.round(state.positionS * state.notes.rate)));
      page.say('marked: a note is missing here');
    },
    'anchor-here': () => page.anchors.here(),
    'anchor-note': () => page.anchors.note(),
    'anchors-try': () => page.anchors.ask('try'),
    'anchors-keep': () => page.anchors.ask('keep'),
    'anchors-discard': () => page.anchors.ask('discard'),
    undo: () => page.say(page.judge.undo() ? 'taken back' : 'nothing to take back'),
    redo: () => page.say(page.judge.redo() ? 'holds again' : 'nothing to do again'),
    help: () => page.help(),
    'single-keys': () => page.keyboard.turn(!page.keyboard.on),
    'voice-tones': () => page.voice('tones'),
    'voice-score': () => page.voice('score'),
  };
  for (const speed of [1, 2, 4]) actions[`speed${speed}`] = () => page.speed(speed);
  for (const value of NOTE_VALUES) actions[value] = () => judgeNote(value);
  for (const value of VERDICTS) actions[value] = () => page.verdict(value);
  return actions;

  /** The selection, or the chosen note with what surrounds it. */
  function span() {
    if (state.selection) return state.selection;
    const at = state.chosen === null ? state.positionS : state.notes.onsetS(state.chosen);
    return [at - BEFORE_S, at + AFTER_S];
  }

  function choose(row) {
    page.choose(row);
    const at = state.notes.onsetS(row);
    page.playSpan(at - BEFORE_S, at + AFTER_S);
  }

  function step(by) {
    const { notes, chosen } = state;
    const here = chosen === null ? notes.rowAfter(state.positionS * notes.rate) - (by > 0 ? 1 : 0) : chosen;
    if (notes.count) choose(Math.min(notes.count - 1, Math.max(0, here + by)));
  }

  /** The queue of least certain notes; those that are judged are passed over. */
  function queued(by) {
    const { queue, judge, notes } = state;
    if (!notes.hasConfidence) {
      page.say('these labels have no confidences: make them with --with-confidence');
      return;
    }
    const place = state.queuePlace ?? -1;
    for (let next = place + by; next >= 0 && next < queue.length; next += by) {
      if (judge.judged.has(queue[next]) && by > 0) continue;
      state.queuePlace = next;
      choose(queue[next]);
      return;
    }
    page.say(by > 0 ? 'that was the last note' : 'that was the first note');
  }

  function nextSpan() {
    const spans = state.facts.spans;
    if (!spans.length) return page.say('no suspicious span');
    const next = spans.find((one) => one.start_s > state.positionS + 1.5) || spans[0];
    page.say(next.what);
    return page.playFrom(next.start_s - 1);
  }

  function nextDifference() {
    if (!state.differences.length) return page.say('the label sets do not differ');
    const first = state.sets[0];
    const here = state.chosen ?? -1;
    const next = state.differences.find(({ row }) => row > here) || state.differences[0];
    if (state.heard) page.hear(0);
    choose(next.row);
    return first;
  }

  function zoom(factor) {
    zoomBy(state, factor);
    page.redraw();
  }

  /** Hear the recording alone, up to the label of the chosen note or from it on. */
  async function cut(fromS, untilS) {
    if (state.chosen === null) return page.say('choose a note first');
    const onset = state.notes.onset[state.chosen];
    return page.playCut(onset, fromS, untilS);
  }

  function judgeNote(value) {
    if (state.chosen === null) page.say('choose a note first');
    else page.judge.note(state.chosen, value);
  }
}

/** Swap the label set that is heard and judged, keeping to the moment. */
export function hearLabels(page, index) {
  const { state } = page;
  state.heard = index;
  state.chosen = null;
  state.queuePlace = -1;
  takeLabels(state);
  follow(state, state.positionS, { turn: true });
}
