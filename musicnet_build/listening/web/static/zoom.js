/** One pitch around one onset: its loudness millisecond by millisecond, the label, and the band of 50 ms. */

import { Surface, theme } from './canvas.js';
import { BAND_S } from './roll.js';

const SPAN_S = 0.3;

export class Zoom {
  /** @param {HTMLCanvasElement} canvas @param {object} state @param {() => void} redraw */
  constructor(canvas, state, redraw) {
    this.state = state;
    this.surface = new Surface(canvas, redraw);
    this.envelope = null;
    this.onset = 0;
  }

  /** @param {Float32Array | null} envelope of the chosen note @param {number} onset its sample */
  show(envelope, onset) {
    this.envelope = envelope;
    this.onset = onset;
  }

  x(seconds) {
    return (seconds / SPAN_S + 0.5) * this.surface.width;
  }

  draw() {
    const context = this.surface.begin();
    const { width, height } = this.surface;
    context.fillStyle = theme().card;
    context.fillRect(0, 0, width, height);
    context.font = '11px system-ui';
    if (!this.envelope) {
      context.fillStyle = theme().soft;
      context.fillText('The onset of the chosen note, at its own pitch', 10, height / 2);
      return;
    }
    this.drawBand(context);
    this.drawEnvelope(context);
    this.drawOthers(context);
    this.drawPlayhead(context);
  }

  drawBand(context) {
    const { height } = this.surface;
    context.fillStyle = theme().band;
    context.fillRect(this.x(-BAND_S), 0, this.x(BAND_S) - this.x(-BAND_S), height);
    context.fillStyle = theme().soft;
    for (const ms of [-150, -100, -50, 0, 50, 100]) {
      context.fillRect(this.x(ms / 1000), height - 6, 1, 6);
      context.fillText(ms > 0 ? `+${ms}` : `${ms} ms`, this.x(ms / 1000) + 3, height - 3);
    }
    context.fillStyle = theme().ink;
    context.fillRect(this.x(0) - 1, 0, 2, height);
    context.fillText('label', this.x(0) + 4, 12);
  }

  drawEnvelope(context) {
    const { height } = this.surface;
    const peak = this.envelope.reduce((a, b) => Math.max(a, b), 1e-9);
    context.beginPath();
    context.moveTo(0, height - 16);
    this.envelope.forEach((value, i) => {
      const x = (i / (this.envelope.length - 1)) * this.surface.width;
      context.lineTo(x, height - 16 - ((height - 32) * value) / peak);
    });
    context.lineTo(this.surface.width, height - 16);
    context.fillStyle = theme().sure;
    context.globalAlpha = 0.25;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = theme().sure;
    context.lineWidth = 1.8;
    context.stroke();
  }

  /** The onset that the other label set gives this note. */
  drawOthers(context) {
    const { apartS } = this.state;
    if (apartS === null || Math.abs(apartS) > SPAN_S / 2) return;
    context.fillStyle = theme().mark;
    context.fillRect(this.x(apartS) - 1, 0, 2, this.surface.height);
    context.fillText('other label', this.x(apartS) + 4, 26);
  }

  drawPlayhead(context) {
    const seconds = this.state.positionS - this.onset / this.state.notes.rate;
    if (Math.abs(seconds) > SPAN_S / 2 || !this.state.active) return;
    context.fillStyle = theme().accent;
    context.fillRect(this.x(seconds) - 1, 0, 2, this.surface.height);
  }
}
