/** The pictures above and below the roll: the whole piece, and the local tempo with the warping path. */

import { Surface, confidenceClass, confidenceColour, hatch, theme } from './canvas.js';

const CONFIDENCE_HEIGHT = 10;
const SPAN_HEIGHT = 9;
const LONGEST_CELLS = 50; // of a note: a pedal point must not hide what else is uncertain

export class Overview {
  /** @param {HTMLCanvasElement} canvas @param {object} state @param {() => void} redraw */
  constructor(canvas, state, redraw) {
    this.state = state;
    this.surface = new Surface(canvas, redraw);
    this.still = this.surface.layer();
    this.peaks = new Int8Array(0);
  }

  x(seconds) {
    return (seconds / this.state.durationS) * this.surface.width;
  }

  secondsAt(x) {
    return Math.min(1, Math.max(0, x / this.surface.width)) * this.state.durationS;
  }

  draw() {
    const context = this.surface.begin();
    const { window, positionS, version } = this.state;
    this.still.show([version, theme().dark, this.peaks.length].join(' '), (own) => this.drawStill(own));
    context.fillStyle = theme().band;
    const left = Math.max(0, this.x(window.startS));
    const width = Math.max(3, this.x(window.startS + window.spanS) - left);
    context.fillRect(left, 0, width, this.surface.height);
    context.strokeStyle = theme().accent;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, 0.75, width - 1.5, this.surface.height - 1.5);
    context.fillStyle = theme().accent;
    context.fillRect(this.x(positionS) - 1, 0, 2, this.surface.height);
  }

  drawStill(context) {
    const { width, height } = this.surface;
    context.fillStyle = theme().card;
    context.fillRect(0, 0, width, height);
    this.drawWave(context);
    this.drawConfidence(context);
    context.fillStyle = hatch(context, theme().warn);
    for (const span of this.state.facts.spans) {
      const x = this.x(span.start_s);
      context.fillRect(x, 0, Math.max(2, this.x(span.end_s) - x), SPAN_HEIGHT);
    }
    this.drawMarks(context);
  }

  drawWave(context) {
    const { peaks } = this;
    const [top, bottom] = [SPAN_HEIGHT, this.surface.height - CONFIDENCE_HEIGHT];
    const [middle, scale] = [(top + bottom) / 2, (bottom - top) / 2 / 127];
    const count = peaks.length / 2;
    context.fillStyle = theme().soft;
    context.globalAlpha = 0.55;
    context.beginPath();
    for (let i = 0; i < count; i += 1) {
      const x = (i / count) * this.surface.width;
      const y = middle - peaks[2 * i + 1] * scale;
      context.rect(x, y, Math.max(0.7, this.surface.width / count), Math.max(0.5, (peaks[2 * i + 1] - peaks[2 * i]) * scale));
    }
    context.fill();
    context.globalAlpha = 1;
  }

  /** The mean confidence along the piece, as a band of colour. */
  drawConfidence(context) {
    const { notes } = this.state;
    if (!notes.hasConfidence) return;
    const cells = Math.ceil(this.surface.width / 4);
    const [sums, counts] = [new Float64Array(cells), new Float64Array(cells)];
    for (let row = 0; row < notes.count; row += 1) {
      if (Number.isNaN(notes.confidence[row])) continue;
      const cellAt = (sample) => Math.min(cells - 1, Math.floor((sample / notes.rate / this.state.durationS) * cells));
      const last = Math.min(cellAt(notes.end[row]), cellAt(notes.onset[row]) + LONGEST_CELLS);
      for (let cell = cellAt(notes.onset[row]); cell <= last; cell += 1) {
        sums[cell] += notes.confidence[row];
        counts[cell] += 1;
      }
    }
    for (let cell = 0; cell < cells; cell += 1) {
      if (!counts[cell]) continue;
      context.fillStyle = confidenceColour(confidenceClass(sums[cell] / counts[cell]));
      context.fillRect(cell * 4, this.surface.height - CONFIDENCE_HEIGHT, 4, CONFIDENCE_HEIGHT);
    }
  }

  drawMarks(context) {
    const { judge, notes } = this.state;
    const triangle = (x) => {
      context.moveTo(x - 4, SPAN_HEIGHT);
      context.lineTo(x + 4, SPAN_HEIGHT);
      context.lineTo(x, SPAN_HEIGHT + 8);
    };
    context.fillStyle = theme().mark;
    context.beginPath();
    for (const [row, { value }] of judge.judged) if (value !== 'fine') triangle(this.x(notes.onsetS(row)));
    for (const { sample } of judge.missing.values()) triangle(this.x(sample / notes.rate));
    context.fill();
  }
}

export class Tempo {
  /** @param {HTMLCanvasElement} canvas @param {object} state @param {import('./roll.js').Roll} roll its axis */
  constructor(canvas, state, roll, redraw) {
    this.state = state;
    this.roll = roll;
    this.surface = new Surface(canvas, redraw);
    this.still = this.surface.layer();
    this.points = [];
    this.median = NaN;
  }

  /** @param {import('./notes.js').Notes} notes */
  take(notes) {
    this.points = notes.tempo();
    const known = this.points.map(({ tempo }) => tempo).filter((tempo) => !Number.isNaN(tempo));
    this.median = known.sort((a, b) => a - b)[known.length >> 1] ?? NaN;
  }

  draw() {
    const context = this.surface.begin();
    const { window, version, heard } = this.state;
    const key = [version, heard, window.startS, window.spanS, theme().dark].join(' ');
    this.still.show(key, (own) => this.drawStill(own));
    context.fillStyle = theme().accent;
    const x = this.roll.x(this.state.positionS);
    if (x >= this.roll.x(window.startS)) context.fillRect(x - 1, 0, 2, this.surface.height);
  }

  drawStill(context) {
    const { startS, spanS } = this.state.window;
    const inView = this.points.filter(({ time }) => time > startS - 3 && time < startS + spanS + 3);
    const { height } = this.surface;
    const beats = inView.map(({ beat }) => beat);
    const [low, high] = [Math.min(...beats), Math.max(...beats)];
    // Half the median tempo at the bottom, twice at the top.
    const tempoY = ({ tempo }) => height * (0.5 - 0.5 * Math.max(-1, Math.min(1, Math.log2(tempo / this.median))));
    const pathY = ({ beat }) => height - 3 - ((height - 6) * (beat - low)) / (high - low || 1);
    context.strokeStyle = theme().line;
    context.strokeRect(0, height / 2, this.surface.width, 0);
    this.line(context, inView, pathY, theme().soft, [2, 3]);
    const known = inView.filter(({ tempo }) => tempo > 0);
    this.line(context, known, tempoY, theme().sure, []);
    for (const { time, jump, beat } of inView) if (jump) this.drawJump(context, time, beat);
    this.drawLegend(context);
  }

  line(context, points, y, colour, dash) {
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    context.beginPath();
    points.forEach((point, i) => context[i && !point.jump ? 'lineTo' : 'moveTo'](this.roll.x(point.time), y(point)));
    context.stroke();
    context.setLineDash([]);
  }

  drawJump(context, time, beat) {
    context.fillStyle = theme().warn;
    context.fillRect(this.roll.x(time) - 1, 0, 2, this.surface.height);
    context.fillText(`back to beat ${beat.toFixed(0)}`, this.roll.x(time) + 4, 12);
  }

  drawLegend(context) {
    context.font = '11px system-ui';
    const median = Number.isNaN(this.median) ? '' : ` (median ${this.median.toFixed(0)} per minute)`;
    context.fillStyle = theme().card;
    context.globalAlpha = 0.8;
    context.fillRect(0, this.surface.height - 16, 330, 16);
    context.globalAlpha = 1;
    context.fillStyle = theme().sure;
    context.fillText(`— local tempo${median}`, 6, this.surface.height - 5);
    context.fillStyle = theme().soft;
    context.fillText('··· warping path', 230, this.surface.height - 5);
  }
}
