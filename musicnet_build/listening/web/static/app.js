/** Puts the page together: opens recordings, draws what changed, hands keys and buttons to actions. */

import { actionsOf, hearLabels } from './actions.js';
import { Anchors } from './anchors.js';
import { Outbox, binary, json, recordingPath } from './api.js';
import { clock, setTheme, theme } from './canvas.js';
import { Judge } from './judge.js';
import { Keyboard } from './keys.js';
import { Notes } from './notes.js';
import { element, showFacts, showInstruments, showJudgements, showLabelSets, showRecordings, showSaved, showTable } from './panel.js';
import { FADE_FRAMES, Player, RATE } from './player.js';
import { gestures } from './pointer.js';
import { Roll } from './roll.js';
import { emptyState, follow, takeRecording } from './state.js';
import { Overview, Tempo } from './strips.js';
import { Tiles } from './tiles.js';
import { Zoom } from './zoom.js';

const REMEMBERED = 'musicnet-build-audit-settings';

export class Page {
  constructor() {
    this.state = emptyState();
    this.player = new Player((query, signal) => this.chunk(query, signal), (...change) => this.playerIs(...change));
    const redraw = () => this.redraw();
    this.roll = new Roll(element('roll'), this.state, redraw);
    this.overview = new Overview(element('overview'), this.state, redraw);
    this.tempo = new Tempo(element('tempo'), this.state, this.roll, redraw);
    this.zoom = new Zoom(element('zoom'), this.state, redraw);
    this.judge = new Judge((event) => this.outbox.add(event), () => this.judged());
    this.state.judge = this.judge;
    this.anchors = new Anchors(this);
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
    this.settings = JSON.parse(localStorage.getItem(REMEMBERED) || '{}');
  }

  async start() {
    this.actions = actionsOf(this);
    this.keyboard = new Keyboard((action) => this.actions[action]?.(), (on) => this.keysAre(on));
    this.keyboard.describe(element('help-body'));
    this.listen();
    setTheme(this.settings.dark ?? matchMedia('(prefers-color-scheme: dark)').matches);
    this.mixTo(this.settings.mix ?? 0.5);
    const list = await json('/api/recordings');
    this.catalogue = list;
    element('catalogue-title').textContent = `Listening to ${list.title}`;
    element('reviewer').value = this.settings.reviewer || list.reviewer;
    element('voice-score').hidden = !list.score_voice;
    element('to-sample').hidden = !list.sample;
    this.outbox = new Outbox(list.folder, (box) => showSaved(box, this.judge.done.length ? list.folder : ''));
    await this.open(list.recordings[0].id);
  }

  listen() {
    document.addEventListener('click', (event) => {
      const action = event.target.closest('[data-action]')?.dataset.action;
      if (action) this.actions[action]?.();
    });
    element('mix').oninput = (event) => this.mixTo(Number(event.target.value));
    element('colour').onchange = (event) => { this.state.colour = event.target.value; this.redraw(); };
    element('theme').onclick = () => { this.remember({ dark: !theme().dark }); setTheme(!theme().dark); this.recolour(); };
    element('reviewer').onchange = () => this.reviewerIs(element('reviewer').value.trim());
    element('reason').onchange = () => this.reasonIs(element('reason').value.trim());
    element('reason').onkeydown = (event) => { if (event.key === 'Enter') event.target.blur(); };
    element('help-close').onclick = () => element('help').close();
    element('single-keys').onchange = (event) => this.keyboard.turn(event.target.checked);
    element('table-card').ontoggle = () => this.redraw();
    gestures(this);
  }

  // What is open

  /** @param {string} id */
  async open(id) {
    this.player.stop();
    const path = recordingPath(id);
    try {
      this.path = path;
      const facts = await json(path);
      const sets = await Promise.all(facts.labels.map((_, i) => binary(`${path}/notes?labels=${i}`)));
      if (this.path !== path) return;
      takeRecording(this.state, facts, sets.map((block) => new Notes(block, this.catalogue.sample_rate)));
      this.roll.tiles = new Tiles((level, column) => binary(`${path}/tile?level=${level}&column=${column}`), () => this.redraw());
      this.overview.peaks = new Int8Array(await binary(`${path}/overview`));
      this.zoom.show(null, 0);
      this.player.rest = 0;
      showInstruments(this.state, () => this.heardOtherwise());
      this.recolour();
      await this.takeLabels();
      await this.anchors.open();
      document.body.dataset.ready = id;
    } catch (error) {
      this.fail(error.message);
    }
  }

  /** What the reviewer said of the labels that are heard. */
  async takeLabels() {
    const { state, path } = this;
    const reviewer = element('reviewer').value.trim();
    const query = `reviewer=${encodeURIComponent(reviewer)}`;
    const known = await json(`${path}/judgements?${query}&labels=${state.heard}`);
    this.judge.open(reviewer, state.facts.id, state.heard, known);
    element('reason').value = this.judge.verdict?.text || '';
    state.queuePlace = -1;
    this.tempo.take(state.notes);
    showLabelSets(state, (index) => this.hear(index));
    showFacts(state);
    this.judged();
    showRecordings((await json(`/api/recordings?${query}`)).recordings, state.facts.id, (id) => this.open(id));
  }

  /** Another name: from this moment on nothing is judged under the old one. */
  reviewerIs(name) {
    this.remember({ reviewer: name });
    this.judge.open(name, this.state.facts.id, this.state.heard, {});
    this.judged();
    this.takeLabels().catch((error) => this.fail(error.message));
  }

  /** @param {number} index of the label set to hear and judge */
  async hear(index) {
    if (index === this.state.heard) return;
    hearLabels(this, index);
    await this.takeLabels();
    this.heardOtherwise();
  }

  // Sound

  chunk({ from, frames, speed, bare }, signal) {
    const { state } = this;
    const query = new URLSearchParams({ from, frames, speed, voice: bare ? 'none' : state.voice, labels: state.heard });
    if (state.playing.size < state.facts.instruments.length) query.set('instruments', [...state.playing].join(','));
    return binary(`${this.path}/sound?${query}`, signal);
  }

  /** @param {number} seconds */
  playFrom(seconds) {
    const from = Math.round(Math.min(Math.max(0, seconds), this.state.durationS - 0.1) * RATE);
    const { selection, loop } = this.state;
    if (loop && selection) return this.playSpan(...selection);
    return this.player.play({ from, until: this.state.facts.samples });
  }

  playSpan(fromS, untilS) {
    const [from, until] = [fromS, untilS].map((s) => Math.round(Math.min(Math.max(0, s), this.state.durationS) * RATE));
    if (until > from) this.player.play({ from, until, loop: this.state.loop });
  }

  /**
   * Hear the recording alone on one side of a label; past the label there is nothing but a fade of 3 ms.
   * @returns {Promise<boolean>} whether nothing else was begun meanwhile
   */
  async playCut(onset, fromS, untilS) {
    const from = Math.max(0, onset + Math.round(fromS * RATE));
    const until = untilS ? onset + Math.round(untilS * RATE) : onset + FADE_FRAMES;
    const playing = this.player.play({ from, until, bare: true });
    const { generation } = this.player;
    await playing;
    return generation === this.player.generation;
  }

  playerIs(state, message) {
    this.state.active = this.player.active();
    element('play').textContent = this.state.active ? '❚❚' : '▶';
    element('play').setAttribute('aria-label', this.state.active ? 'Pause' : 'Play');
    element('state').textContent = message || (state === 'loading' ? 'loading …' : '');
    if (state === 'failed') this.fail(message);
    this.redraw();
  }

  /** Play on with another speed, voice, label set or instruments. */
  heardOtherwise() {
    this.state.version += 1;
    if (this.player.active()) this.player.play({ ...this.player.passage, from: Math.round(this.player.position()) });
    this.redraw();
  }

  speed(speed) {
    this.player.speed = speed;
    for (const one of [1, 2, 4]) this.pressed(`speed${one}`, one === speed);
    this.heardOtherwise();
  }

  voice(voice) {
    this.state.voice = voice;
    for (const one of ['tones', 'score']) this.pressed(`voice-${one}`, one === voice);
    this.heardOtherwise();
  }

  mixTo(mix) {
    this.player.mix = Math.min(1, Math.max(0, Math.round(mix * 20) / 20));
    element('mix').value = this.player.mix;
    this.player.level();
    this.remember({ mix: this.player.mix });
  }

  // Notes and judgements

  /** @param {number} row */
  async choose(row) {
    const { state } = this;
    state.chosen = row;
    const difference = state.heard === 0 && state.differences.find((one) => one.row === row);
    state.apartS = difference ? difference.apartS : null;
    const onset = state.notes.onset[row];
    if (!this.player.active()) this.player.rest = onset;
    follow(state, onset / RATE, { turn: this.still.matches });
    this.zoom.show(null, onset);
    this.judged();
    try {
      const block = await binary(`${this.path}/envelope?sample=${onset}&pitch=${state.notes.pitch[row]}`);
      if (state.chosen === row) this.zoom.show(new Float32Array(block), onset);
      this.redraw();
    } catch (error) {
      this.fail(error.message);
    }
  }

  verdict(value) {
    this.judge.recordingIs(value, element('reason').value.trim());
    this.say(`recording: ${value}`);
  }

  /** A reason that is given or changed after the verdict belongs to it. */
  reasonIs(text) {
    const { verdict } = this.judge;
    if (verdict && verdict.text !== text) this.verdict(verdict.value);
  }

  judged() {
    this.state.version += 1;
    showJudgements(this.state);
    this.redraw();
  }

  // The page

  redraw() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    performance.mark('draw');
    const { state, player } = this;
    state.positionS = player.position() / RATE;
    if (player.active()) follow(state, state.positionS, { turn: this.still.matches });
    for (const picture of [this.roll, this.overview, this.tempo, this.zoom]) picture.draw();
    element('clock').textContent = clock(state.positionS);
    if (player.active()) this.redraw();
    else showTable(state, (row) => this.choose(row));
    performance.measure('draw', 'draw');
    performance.clearMarks('draw');
  }

  recolour() {
    this.roll.tiles?.colour(theme().dark, this.state.facts.loudness_db ?? -20);
    this.state.version += 1;
    this.redraw();
  }

  pressed(action, on) {
    for (const button of document.querySelectorAll(`[data-action="${action}"]`)) button.setAttribute('aria-pressed', String(on));
  }

  help() {
    element('single-keys').checked = this.keyboard.on;
    element('help').showModal();
  }

  keysAre(on) {
    element('single-keys').checked = on;
    this.say(on ? 'single keys are on' : 'single keys are off; K switches them on');
  }

  /** @param {string} text for a moment beside the clock, and for screen readers */
  say(text) {
    element('state').textContent = text;
  }

  fail(text) {
    element('banner').hidden = false;
    element('banner').textContent = text;
  }

  remember(settings) {
    Object.assign(this.settings, settings);
    localStorage.setItem(REMEMBERED, JSON.stringify(this.settings));
  }
}

const page = new Page();
window.auditPage = page;
page.start().catch((error) => page.fail(error.message));
