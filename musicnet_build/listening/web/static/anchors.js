/** Anchors: what is heard when, labels found anew through it, and whether they are kept. */

import { json, posted } from './api.js';
import { clock } from './canvas.js';
import { element } from './panel.js';
import { RATE } from './player.js';
import { follow } from './state.js';

const PLACE = /^[^\s:=,]+(:\d+(\.\d+)?)?$/;

export class Anchors {
  /** @param {import('./app.js').Page} page */
  constructor(page) {
    this.page = page;
    /** @type {string[]} such as 12.5=33:1 */
    this.list = [];
    this.busy = false;
    element('place').onkeydown = (event) => { if (event.key === 'Enter') this.here(); };
  }

  /** What the server knows of the recording that was opened. */
  async open() {
    this.take(await json(`${this.page.path}/anchors`));
  }

  /** @param {{offered: boolean, anchors: string[], kept: string, tried: boolean}} known */
  take(known) {
    element('anchors-card').hidden = !known.offered;
    this.list = known.anchors;
    this.tried = known.tried;
    this.show(known.tried ? 'new labels: hear them, then keep or discard' : known.kept && `kept in ${known.kept}`);
  }

  show(text = '') {
    const remove = (one) => { this.list = this.list.filter((other) => other !== one); this.show(); };
    element('anchors').replaceChildren(...this.list.map((one) => {
      const [seconds, place] = one.split('=');
      const row = document.createElement('li');
      const button = Object.assign(document.createElement('button'), { type: 'button', onclick: () => remove(one) });
      button.textContent = 'remove';
      row.append(`${clock(Number(seconds), 2)} is ${place} `, button);
      return row;
    }));
    element('anchors-state').textContent = text;
    const enabled = { try: !this.busy, keep: this.tried && !this.busy, discard: this.tried && !this.busy };
    for (const [name, on] of Object.entries(enabled)) document.querySelector(`[data-action="anchors-${name}"]`).disabled = !on;
  }

  /** The moment at the playhead is the place in the field. */
  here() {
    const place = element('place').value.trim();
    if (PLACE.test(place)) this.add(place);
    else this.show('write measure and beat, as in 33:1');
  }

  /** The moment at the playhead is where the chosen note is heard. */
  async note() {
    const { state, path } = this.page;
    if (state.chosen === null || state.heard) return this.show('choose a note of the first labels');
    return this.answered(async () => this.add((await json(`${path}/place?row=${state.chosen}`)).place));
  }

  add(place) {
    const seconds = (Math.round(this.page.player.position()) / RATE).toFixed(3);
    this.list = [...this.list.filter((one) => !one.startsWith(`${seconds}=`)), `${seconds}=${place}`];
    this.show();
  }

  /**
   * One after the other: what is asked meanwhile would meet labels that are about to change.
   * @param {'try'|'keep'|'discard'} action
   */
  async ask(action) {
    if (this.busy) return;
    this.busy = true;
    this.show(action === 'try' ? 'finding labels anew; this takes as long as align does …' : '');
    await this.answered(() => this.asked(action));
    this.busy = false;
    this.show(element('anchors-state').textContent);
  }

  async asked(action) {
    const { page } = this;
    const { path } = page;
    const known = await posted(`${path}/anchors`, { action, anchors: this.list.join(',') });
    if (page.path !== path) return; // another recording was opened meanwhile
    if (action !== 'keep') {
      const rest = page.player.position();
      await page.open(page.state.facts.id);
      page.player.rest = rest;
      if (action === 'try') await page.hear(1);
      follow(page.state, rest / RATE, { turn: true });
      page.redraw();
    }
    this.take(known);
  }

  /** @param {() => Promise<any>} work whose failure is told here */
  async answered(work) {
    try {
      await work();
    } catch (error) {
      this.show(error.message);
    }
  }
}
