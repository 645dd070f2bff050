/** What the reviewer says: kept here at once, sent by the outbox, undone by saying so. */

import { ulid } from './api.js';

/** @typedef {{id: string, value: string}} Mark */

export class Judge {
  /** @param {(event: object) => void} send @param {() => void} onChange */
  constructor(send, onChange) {
    this.send = send;
    this.onChange = onChange;
    this.open('', '', 0, {});
  }

  /**
   * Begin with what the server knows of a recording.
   * @param {string} reviewer @param {string} recording @param {number} labels which label set @param {object} known
   */
  open(reviewer, recording, labels, known) {
    this.reviewer = reviewer;
    this.recording = recording;
    this.labels = labels;
    /** @type {Map<number, Mark>} */
    this.judged = new Map(Object.entries(known.notes || {}).map(([row, mark]) => [Number(row), mark]));
    /** @type {Map<string, {id: string, sample: number}>} */
    this.missing = new Map((known.missing || []).map((one) => [one.id, { id: one.id, sample: one.at_sample }]));
    this.verdict = known.verdict ? { value: known.verdict.value, text: known.verdict.text || '' } : null;
    this.stale = known.stale || [];
    this.others = known.others || [];
    this.done = [];
    this.undone = [];
  }

  /** @param {number} row @param {string} value */
  note(row, value) {
    const before = this.judged.get(row);
    const set = (mark) => (mark ? this.judged.set(row, mark) : this.judged.delete(row));
    const event = this.event('note', { row, value });
    const after = value === 'clear' ? undefined : { id: event.id, value };
    this.act(event, () => set(after), () => set(before));
  }

  /** @param {number} sample where a note sounds that has no label */
  missingAt(sample) {
    const event = this.event('missing', { at_sample: sample });
    this.act(event, () => this.missing.set(event.id, { id: event.id, sample }), () => this.missing.delete(event.id));
  }

  /** @param {string} value @param {string} text */
  recordingIs(value, text) {
    const before = this.verdict;
    const event = this.event('verdict', text ? { value, text } : { value });
    this.act(event, () => { this.verdict = { value, text }; }, () => { this.verdict = before; });
  }

  /** Take the last judgement back. @returns {boolean} whether there was one */
  undo() {
    const action = this.done.pop();
    if (!action) return false;
    action.undoing = this.event('undo', { target: action.event.id });
    action.revert();
    this.undone.push(action);
    this.say(action.undoing);
    return true;
  }

  /** Let the last judgement that was taken back hold again. @returns {boolean} whether there was one */
  redo() {
    const action = this.undone.pop();
    if (!action) return false;
    action.apply();
    this.done.push(action);
    this.say(this.event('undo', { target: action.undoing.id }));
    return true;
  }

  event(kind, fields) {
    const { reviewer, recording, labels } = this;
    return { id: ulid(), reviewer, recording, labels, kind, ...fields };
  }

  act(event, apply, revert) {
    apply();
    this.done.push({ event, apply, revert });
    this.undone = [];
    this.say(event);
  }

  say(event) {
    this.send(event);
    this.onChange();
  }
}
