/** Mouse and touch on the pictures: click to choose or go, drag to select, wheel to move and zoom. */

import { zoomBy } from './state.js';

const DRAG_PIXELS = 5;

/** @param {import('./app.js').Page} page */
export function gestures(page) {
  const { state, roll, overview } = page;
  let pressed = null;

  const goTo = (seconds) => {
    if (page.player.active()) page.playFrom(seconds);
    else page.player.rest = Math.round(seconds * state.notes.rate);
    page.redraw();
  };

  roll.surface.canvas.addEventListener('pointerdown', (event) => {
    pressed = event.offsetX;
    roll.surface.canvas.setPointerCapture(event.pointerId);
  });
  roll.surface.canvas.addEventListener('pointermove', (event) => {
    if (pressed === null || Math.abs(event.offsetX - pressed) < DRAG_PIXELS) return;
    const ends = [roll.secondsAt(pressed), roll.secondsAt(event.offsetX)].sort((a, b) => a - b);
    state.selection = [Math.max(0, ends[0]), Math.min(state.durationS, ends[1])];
    page.redraw();
  });
  roll.surface.canvas.addEventListener('pointerup', (event) => {
    const dragged = pressed !== null && Math.abs(event.offsetX - pressed) >= DRAG_PIXELS;
    pressed = null;
    if (dragged) return;
    state.selection = null;
    const row = roll.noteAt(event.offsetX, event.offsetY);
    if (row === null) goTo(Math.max(0, roll.secondsAt(event.offsetX)));
    else page.choose(row);
  });
  roll.surface.canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    if (event.ctrlKey) zoomBy(state, event.deltaY > 0 ? 1.25 : 0.8);
    else state.window.startS += ((event.deltaX || event.deltaY) / roll.plotWidth) * state.window.spanS;
    page.redraw();
  }, { passive: false });

  const overviewTo = (event) => {
    const seconds = overview.secondsAt(event.offsetX);
    state.window.startS = seconds - state.window.spanS / 3;
    goTo(seconds);
  };
  overview.surface.canvas.addEventListener('pointerdown', overviewTo);
  overview.surface.canvas.addEventListener('pointermove', (event) => event.buttons && overviewTo(event));
}
