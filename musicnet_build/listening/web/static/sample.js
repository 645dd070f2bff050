/** Walks a reviewer through a draw: one note after another, without anything that could sway the judgement. */

import { Outbox, binary, json, recordingPath, ulid } from './api.js';
import { clock } from './canvas.js';
import { FADE_FRAMES, Player, RATE } from './player.js';

const VALUES = ['fine', 'tone_early', 'tone_late', 'wrong_pitch', 'not_played'];
const KEYS = {
  ' ': 'play', 1: 'speed1', 2: 'speed2', 4: 'speed4', z: 'before', x: 'after', b: 'back', n: 'next', o: 'missing', h: 'heard',
  f: 'fine', e: 'tone_early', d: 'tone_late', w: 'wrong_pitch', s: 'not_played',
};
const CUT_S = 0.4;
const QUESTIONS = {
  note: 'Recording, and the tone of one label alone. Some tones are moved on purpose, to measure what you can hear. Does the note begin where its tone does?',
  clip: 'Recording, and a tone at each label. Choose a label that is wrong and say how; when you have heard all of the clip, say so: what is not marked is fine.',
};
const element = (id) => document.getElementById(id);

class Walk {
  constructor() {
    this.trials = [];
    this.place = 0;
    this.chosen = -1;
    this.player = new Player((query, signal) => this.chunk(query, signal), (state, message) => this.playerIs(state, message));
    this.actions = {
      play: () => (this.player.active() ? this.player.stop() : this.play()),
      before: () => this.cut(-CUT_S, 0),
      after: () => this.cut(0, CUT_S),
      back: () => this.go(this.place - 1),
      next: () => this.go(this.place + 1),
      heard: () => this.heard(),
      missing: () => this.missing(),
    };
    for (const speed of [1, 2, 4]) this.actions[`speed${speed}`] = () => this.speed(speed);
    for (const value of VALUES) this.actions[value] = () => this.judge(value);
    document.addEventListener('click', (event) => this.actions[event.target.closest('[data-action]')?.dataset.action]?.());
    document.addEventListener('keydown', (event) => this.press(event));
    element('mix').oninput = (event) => { this.player.mix = Number(event.target.value); this.player.level(); };
    element('reviewer').onchange = () => this.open(element('reviewer').value.trim()).catch((error) => this.fail(error.message));
  }

  /** @param {string} reviewer empty for the one that the program was started with */
  async open(reviewer) {
    this.player.stop();
    const known = await json(`/api/trials?reviewer=${encodeURIComponent(reviewer)}`);
    Object.assign(this, { trials: known.trials, context: known.context, reviewer: known.reviewer });
    element('reviewer').value = known.reviewer;
    this.outbox ??= new Outbox(known.folder, ({ waiting, fault }) => {
      element('saved').textContent = waiting ? fault || 'saving …' : 'saved ✓';
    });
    this.place = Math.max(0, this.trials.findIndex((trial) => !trial.value));
    this.show();
    document.body.dataset.ready = known.reviewer;
  }

  get trial() { return this.trials[this.place]; }

  /** The chosen note: the trial itself, or one of a clip. */
  get note() { return this.trial?.notes ? this.trial.notes[this.chosen] : this.trial; }

  chunk({ from, frames, speed, bare }, signal) {
    const query = new URLSearchParams({ reviewer: this.reviewer, from, frames, speed, voice: bare ? 'none' : 'tones' });
    const path = this.trial.notes ? recordingPath(this.trial.recording) : `/api/trials/${this.trial.key}`;
    return binary(`${path}/sound?${query}`, signal);
  }

  play() {
    if (!this.trial) return;
    const { onset, begin = onset - this.context, end = onset + this.context } = this.trial;
    this.player.play({ from: Math.max(0, begin), until: end });
  }

  cut(fromS, untilS) {
    const { note } = this;
    if (!note) return;
    const at = (seconds) => Math.max(0, note.onset + Math.round(seconds * RATE));
    this.player.play({ from: at(fromS), until: untilS ? at(untilS) : at(0) + FADE_FRAMES, bare: true });
  }

  speed(speed) {
    this.player.speed = speed;
    for (const one of [1, 2, 4]) this.pressed(`speed${one}`, one === speed);
    this.play();
  }

  say(event) {
    this.outbox.add({ id: ulid(), reviewer: this.reviewer, recording: this.trial.recording, ...event });
  }

  /** Say it; where notes were drawn, go on. @param {string} value */
  judge(value) {
    const { trial, note } = this;
    if (!note) return;
    note.value = value;
    if (trial.notes) {
      this.say({ kind: 'note', row: note.row, value });
      this.show();
    } else {
      this.say({ kind: 'trial', trial: trial.key, value });
      this.goOn();
    }
  }

  /** The clip was heard to its end. */
  heard() {
    const { trial } = this;
    if (!trial?.notes) return;
    trial.value = 'heard';
    this.say({ kind: 'clip', start_sample: trial.begin, end_sample: trial.end });
    this.goOn();
  }

  /** A note without a label sounds where the sound is now. */
  missing() {
    if (!this.trial?.notes) return;
    this.say({ kind: 'missing', at_sample: Math.max(0, Math.round(this.player.position())) });
    element('state').textContent = 'marked as missing';
  }

  /** Go to the next that is not judged; stay where there is none. */
  goOn() {
    const ahead = this.trials.findIndex((one, place) => place > this.place && !one.value);
    const next = ahead < 0 ? this.trials.findIndex((one) => !one.value) : ahead;
    if (next < 0) { this.player.stop(); this.show(); } else this.go(next);
  }

  /** @param {number} index of a note of the clip; it is heard from a moment before */
  choose(index) {
    this.chosen = index;
    this.show();
    this.player.play({ from: Math.max(this.trial.begin, this.note.onset - RATE), until: Math.min(this.trial.end, this.note.onset + RATE) });
  }

  /** @param {number} place */
  go(place) {
    this.place = Math.min(Math.max(0, place), this.trials.length - 1);
    this.chosen = -1;
    this.show();
    this.play();
  }

  show() {
    const { trial } = this;
    const judged = this.trials.filter((one) => one.value).length;
    const name = trial?.notes ? 'Clip' : `${trial?.pitch} ${trial?.instrument}`;
    element('title').textContent = trial
      ? `${name} at ${clock((trial.begin ?? trial.onset) / RATE)} of ${trial.recording}`
      : 'There is no sample: musicnet-build audit sample DATASET draws one.';
    const all = trial && judged === this.trials.length ? ' – all are judged: musicnet-build audit report' : '';
    element('progress').textContent = trial ? `${this.place + 1} of ${this.trials.length}, ${judged} judged${all}` : '';
    for (const value of VALUES) this.pressed(value, this.note?.value === value);
    element('question').textContent = trial ? QUESTIONS[trial.notes ? 'clip' : 'note'] : '';
    for (const button of document.querySelectorAll('.of-clip')) button.hidden = !trial?.notes;
    element('notes').replaceChildren(...(trial?.notes || []).map((note, index) => this.chip(note, index)));
  }

  chip(note, index) {
    const button = document.createElement('button');
    button.type = 'button';
    const said = note.value && note.value !== 'fine' ? ` – ${note.value.replace('_', ' ')}` : '';
    button.textContent = `${clock(note.onset / RATE)} ${note.pitch} ${note.instrument}${said}`;
    button.setAttribute('aria-pressed', String(index === this.chosen));
    button.onclick = () => this.choose(index);
    return button;
  }

  playerIs(state, message) {
    element('state').textContent = message || (state === 'loading' ? 'loading …' : '');
    if (state === 'failed') this.fail(message);
  }

  pressed(action, on) {
    document.querySelector(`[data-action="${action}"]`).setAttribute('aria-pressed', String(on));
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input')) return;
    if (event.key === ' ' && event.target.matches('button')) return;
    const action = KEYS[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    this.actions[action]();
  }

  fail(text) {
    element('banner').hidden = false;
    element('banner').textContent = text;
  }
}

const walk = new Walk();
window.sampleWalk = walk;
walk.open('').catch((error) => walk.fail(error.message));
