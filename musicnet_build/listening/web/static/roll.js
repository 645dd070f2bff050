/** The middle picture: spectrogram, notes over it, the chosen onset with its band, the playhead. */

import { Surface, UNSURE, clock, confidenceClass, confidenceColour, hatch, instrumentColour, theme } from './canvas.js';
import { pitchName } from './notes.js';
import { COLUMNS, COLUMN_S, LOWEST_PITCH, ROWS, ROWS_PER_PITCH, Tiles } from './tiles.js';

export const BAND_S = 0.05;
const KEYBOARD = 34;
const BLACK = new Set([1, 3, 6, 8, 10]);
const LETTERS = { fine: '✓', tone_early: 'early', tone_late: 'late', wrong_pitch: 'pitch?', not_played: 'not played' };

export class Roll {
  /** @param {HTMLCanvasElement} canvas @param {object} state of the page @param {() => void} redraw */
  constructor(canvas, state, redraw) {
    this.state = state;
    this.surface = new Surface(canvas, redraw);
    this.background = this.surface.layer();
    this.tiles = null;
  }

  get plotWidth() {
    return this.surface.width - KEYBOARD;
  }

  x(seconds) {
    const { startS, spanS } = this.state.window;
    return KEYBOARD + ((seconds - startS) / spanS) * this.plotWidth;
  }

  secondsAt(x) {
    const { startS, spanS } = this.state.window;
    return startS + ((x - KEYBOARD) / this.plotWidth) * spanS;
  }

  get rowHeight() {
    const [low, high] = this.state.pitches;
    return this.surface.height / (high - low + 1);
  }

  y(pitch) {
    return (this.state.pitches[1] - pitch) * this.rowHeight;
  }

  draw() {
    const { state, surface } = this;
    const context = surface.begin();
    const { startS, spanS } = state.window;
    const key = [state.version, this.tiles?.version, startS, spanS, theme().dark, state.colour, state.heard].join(' ');
    this.background.show(key, (own) => this.drawStill(own));
    this.drawChosen(context);
    this.drawPlayhead(context);
  }

  drawStill(context) {
    const { width, height } = this.surface;
    context.fillStyle = theme().card;
    context.fillRect(0, 0, width, height);
    context.save();
    context.beginPath();
    context.rect(KEYBOARD, 0, width, height);
    context.clip();
    this.drawTiles(context);
    this.drawSpans(context);
    this.state.sets.forEach((notes, index) => this.drawNotes(context, notes, index));
    this.drawMarks(context);
    context.restore();
    this.drawSeconds(context);
    this.drawKeyboard(context);
  }

  drawTiles(context) {
    if (!this.tiles) return;
    const { startS, spanS } = this.state.window;
    const level = Tiles.level(spanS / this.plotWidth);
    const tileS = COLUMNS * COLUMN_S * level;
    const [low, high] = this.state.pitches;
    const top = ROWS - ROWS_PER_PITCH * (high - LOWEST_PITCH + 1);
    const rows = ROWS_PER_PITCH * (high - low + 1);
    const last = Math.min(startS + spanS, this.state.durationS);
    for (let column = Math.max(0, Math.floor(startS / tileS)); column * tileS < last; column += 1) {
      const bitmap = this.tiles.get(level, column);
      const x = this.x(column * tileS - (COLUMN_S * level) / 2);
      const width = (tileS / spanS) * this.plotWidth;
      if (bitmap) context.drawImage(bitmap, 0, top, COLUMNS, rows, x, 0, width, this.surface.height);
    }
  }

  drawSpans(context) {
    context.fillStyle = hatch(context, theme().warn);
    context.globalAlpha = 0.35;
    for (const span of this.state.facts.spans) {
      context.fillRect(this.x(span.start_s), 0, this.x(span.end_s) - this.x(span.start_s), 6);
    }
    context.globalAlpha = 1;
  }

  /** Group the notes by colour, so that each colour is one path however many they are. */
  drawNotes(context, notes, index) {
    const { state } = this;
    const heard = index === state.heard;
    const paths = new Map();
    const unsure = new Path2D();
    const { startS, spanS } = state.window;
    const [first, last] = notes.rowsWithin(startS, startS + spanS);
    const height = Math.max(3, this.rowHeight - 2);
    for (let row = first; row < last; row += 1) {
      const x = this.x(notes.onsetS(row));
      const width = Math.max(2, this.x(notes.end[row] / notes.rate) - x - 1);
      const y = this.y(notes.pitch[row]) + (this.rowHeight - height) / 2;
      const colour = this.colourOf(notes, row, index);
      if (!paths.has(colour)) paths.set(colour, new Path2D());
      paths.get(colour).rect(x, y, width, height);
      if (notes.confidence[row] < UNSURE) unsure.rect(x, y, width, height);
    }
    context.setLineDash(index ? [4, 3] : []);
    for (const [colour, path] of paths) {
      context.fillStyle = colour;
      context.strokeStyle = colour;
      context.globalAlpha = heard ? 0.28 : 0.06;
      context.fill(path);
      context.globalAlpha = heard ? 1 : 0.55;
      context.lineWidth = 1.5;
      context.stroke(path);
    }
    context.setLineDash([]);
    context.globalAlpha = heard ? 0.8 : 0.3;
    context.fillStyle = hatch(context, theme().doubtful);
    context.fill(unsure);
    context.globalAlpha = 1;
  }

  colourOf(notes, row, index) {
    const { state } = this;
    const place = state.facts.instruments.findIndex((one) => one.number === notes.instrument[row]);
    if (!state.playing.has(notes.instrument[row])) return theme().line;
    if (state.colour === 'instrument') return instrumentColour(place);
    return index ? theme().mark : confidenceColour(confidenceClass(notes.confidence[row]));
  }

  drawMarks(context) {
    const { judged, missing } = this.state.judge;
    const notes = this.state.notes;
    context.font = '600 11px system-ui';
    context.textBaseline = 'bottom';
    const label = (text, x, y) => {
      const width = context.measureText(text).width;
      context.fillStyle = theme().mark;
      context.fillRect(x - 1, y - 14, width + 6, 14);
      context.fillStyle = theme().card;
      context.fillText(text, x + 2, y - 1);
    };
    for (const [row, { value }] of judged) {
      const x = this.x(notes.onsetS(row));
      if (x > KEYBOARD - 60 && x < this.surface.width) label(LETTERS[value] || value, x, Math.max(15, this.y(notes.pitch[row])));
    }
    for (const { sample } of missing.values()) label('missing', this.x(sample / notes.rate), this.surface.height - 18);
  }

  drawChosen(context) {
    const { chosen, notes } = this.state;
    if (chosen === null) return;
    const x = this.x(notes.onsetS(chosen));
    const half = (BAND_S / this.state.window.spanS) * this.plotWidth;
    context.fillStyle = theme().band;
    context.fillRect(x - half, 0, 2 * half, this.surface.height);
    context.strokeStyle = theme().ink;
    context.lineWidth = 2.5;
    const width = Math.max(3, this.x(notes.end[chosen] / notes.rate) - x);
    context.strokeRect(x - 1, this.y(notes.pitch[chosen]) - 1, width + 2, this.rowHeight + 2);
  }

  drawPlayhead(context) {
    const { selection } = this.state;
    if (selection) {
      context.fillStyle = theme().band;
      context.fillRect(this.x(selection[0]), 0, this.x(selection[1]) - this.x(selection[0]), this.surface.height);
    }
    const x = this.x(this.state.positionS);
    if (x < KEYBOARD) return;
    context.fillStyle = theme().accent;
    context.fillRect(x - 1, 0, 2, this.surface.height);
  }

  drawSeconds(context) {
    const { startS, spanS } = this.state.window;
    const step = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300].find((one) => (one / spanS) * this.plotWidth > 55) || 600;
    context.font = '11px system-ui';
    context.textBaseline = 'alphabetic';
    for (let k = Math.ceil(Math.max(0, startS) / step); k * step < startS + spanS; k += 1) {
      const text = clock(k * step, step < 1 ? 1 : 0);
      const [x, y] = [this.x(k * step), this.surface.height - 4];
      context.fillStyle = theme().card;
      context.globalAlpha = 0.8;
      context.fillRect(x, y - 11, context.measureText(text).width + 6, 15);
      context.globalAlpha = 1;
      context.fillStyle = theme().soft;
      context.fillRect(x, y - 11, 1, 15);
      context.fillText(text, x + 3, y);
    }
  }

  drawKeyboard(context) {
    const [low, high] = this.state.pitches;
    context.font = '10px system-ui';
    context.textBaseline = 'middle';
    context.fillStyle = theme().paper;
    context.fillRect(0, 0, KEYBOARD, this.surface.height);
    for (let pitch = low; pitch <= high; pitch += 1) {
      context.fillStyle = theme().soft;
      if (BLACK.has(pitch % 12)) context.fillRect(22, this.y(pitch) + 0.5, KEYBOARD - 23, Math.max(1, this.rowHeight - 1));
      if (pitch % 12 === 0) context.fillText(pitchName(pitch), 2, this.y(pitch) + this.rowHeight / 2);
    }
    context.fillStyle = theme().line;
    context.fillRect(KEYBOARD - 1, 0, 1, this.surface.height);
  }

  /** @returns {number | null} the note under a point */
  noteAt(x, y) {
    const { notes } = this.state;
    const pitch = this.state.pitches[1] - Math.floor(y / this.rowHeight);
    const reachS = this.secondsAt(4) - this.secondsAt(0);
    const at = this.secondsAt(x);
    const [first, last] = notes.rowsWithin(at - reachS, at + reachS);
    let best = null;
    for (let row = first; row < last; row += 1) {
      const ends = notes.end[row] / notes.rate + reachS > at;
      if (ends && Math.abs(notes.pitch[row] - pitch) < 0.5) best = row;
    }
    return best;
  }
}
