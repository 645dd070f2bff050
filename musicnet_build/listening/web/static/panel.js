/** The words of the page. Text from files and people enters as text, never as markup. */

import { clock } from './canvas.js';
import { pitchName } from './notes.js';
import { doubtfulCount } from './state.js';

const TABLE_ROWS = 60;
export const WORDS = {
  fine: 'fine', tone_early: 'tone early', tone_late: 'tone late', wrong_pitch: 'wrong pitch', not_played: 'not played',
  accepted: 'accept', review: 'unsure', rejected: 'reject',
};

export const element = (id) => document.getElementById(id);

/** @param {string} tag @param {string} text @param {object} [properties] */
function made(tag, text, properties = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  node.textContent = text;
  return node;
}

/** @param {object} state @param {number} row @returns {string} one line about a note */
export function noteLine(state, row) {
  const { notes, facts } = state;
  const instrument = facts.instruments.find((one) => one.number === notes.instrument[row])?.name || '';
  const confidence = notes.confidence[row];
  const sure = Number.isNaN(confidence) ? 'confidence unknown' : `confidence ${confidence.toFixed(2)}`;
  const mark = state.judge.judged.get(row);
  const place = state.queue[state.queuePlace] === row ? ` · ${state.queuePlace + 1} in the queue` : '';
  const other = state.apartS === null ? '' : ` · ${differenceWords(state.apartS)}`;
  const said = mark ? ` · judged ${WORDS[mark.value] || mark.value}` : '';
  return `Note ${row + 1} · ${pitchName(notes.pitch[row])} · ${instrument} · ${clock(notes.onsetS(row), 3)} · ${sure}${place}${other}${said}`;
}

const differenceWords = (apartS) =>
  Number.isNaN(apartS) ? 'not in the other labels' : `the other labels are ${Math.abs(1000 * apartS).toFixed(0)} ms ${apartS > 0 ? 'later' : 'earlier'}`;

export function showFacts(state) {
  const { facts, judge } = state;
  element('title').textContent = facts.title;
  document.title = `${facts.title} – listening to labels`;
  const spans = facts.spans.length ? [`${facts.spans.length} suspicious span${facts.spans.length > 1 ? 's' : ''}`] : [];
  const reasons = [...facts.reasons, ...facts.structure].map((one) => one.replace(/\.$/, ''));
  const details = [...new Set(reasons), ...spans].join('; ');
  element('machine').textContent = facts.verdict ? `Machine: ${facts.verdict}${details ? ` – ${details}` : ''}` : '';
  const others = judge.others.map(({ reviewer, value, text }) => `${reviewer} ${WORDS[value]}${text ? ` – ${text}` : ''}`);
  element('people').textContent = others.length ? `People: ${others.join(' · ')}` : '';
}

/** What depends on the judgements and on the chosen note. */
export function showJudgements(state) {
  const { judge, chosen, notes, facts } = state;
  const mark = chosen === null ? undefined : judge.judged.get(chosen);
  for (const button of document.querySelectorAll('.judge [data-action]')) {
    const { action } = button.dataset;
    if (!button.hasAttribute('aria-pressed')) continue;
    button.setAttribute('aria-pressed', String(action === mark?.value || action === judge.verdict?.value));
  }
  if (chosen !== null) element('note').textContent = noteLine(state, chosen);
  const wrong = [...judge.judged.values()].filter(({ value }) => value !== 'fine').length;
  const doubtful = notes.hasConfidence ? `, ${doubtfulCount(state)} doubtful` : ', confidences unknown';
  const judged = `${judge.judged.size} judged, ${wrong} of them wrong, ${judge.missing.size} missing`;
  element('progress').textContent = `${notes.count} notes${doubtful}; ${judged}.`;
  const differing = state.differences.length;
  if (facts.labels.length > 1) element('progress').textContent += ` The label sets differ on ${differing} notes.`;
  showStale(judge.stale);
}

function showStale(stale) {
  element('stale').hidden = !stale.length;
  element('stale').querySelector('summary').textContent = `${stale.length} judgements about earlier labels count in nothing`;
  const lines = stale.map(({ event, why }) => made('li', `${WORDS[event.value] || event.kind}: ${why}`));
  element('stale').querySelector('ul').replaceChildren(...lines);
}

/** @param {object[]} recordings @param {string} current @param {(id: string) => void} open */
export function showRecordings(recordings, current, open) {
  element('recordings-nav').hidden = recordings.length < 2;
  const items = recordings.map(({ id, title, verdict, marks }) => {
    const button = made('button', title === id ? id : `${id} · ${title}`, { type: 'button', onclick: () => open(id) });
    button.setAttribute('aria-current', String(id === current));
    const said = [verdict && WORDS[verdict], marks && `${marks} notes judged`].filter(Boolean).join(', ');
    if (said) button.append(made('small', said));
    const item = document.createElement('li');
    item.append(button);
    return item;
  });
  element('recordings').replaceChildren(...items);
}

/** @param {object} state @param {() => void} onChange */
export function showInstruments(state, onChange) {
  const boxes = state.facts.instruments.map(({ number, name }) => {
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: true });
    box.onchange = () => {
      state.playing[box.checked ? 'add' : 'delete'](number);
      onChange();
    };
    const label = document.createElement('label');
    label.append(box, name);
    return label;
  });
  element('instruments').replaceChildren(made('legend', 'Instruments', { className: 'hidden' }), ...boxes);
}

/** @param {object} state @param {(index: number) => void} hear */
export function showLabelSets(state, hear) {
  const { labels } = state.facts;
  element('labels-heard').hidden = element('next-difference').hidden = labels.length < 2;
  const buttons = labels.map(({ name }, index) => {
    const button = made('button', name, { type: 'button', onclick: () => hear(index) });
    button.setAttribute('aria-pressed', String(index === state.heard));
    return button;
  });
  element('labels-heard').replaceChildren(...buttons);
}

/** @param {object} state @param {(row: number) => void} choose */
export function showTable(state, choose) {
  if (!element('table-card').open) return;
  const { notes, window, facts, judge } = state;
  const [first, last] = notes.rowsWithin(window.startS, window.startS + window.spanS);
  const rows = [];
  for (let row = first; row < Math.min(last, first + TABLE_ROWS); row += 1) {
    const line = document.createElement('tr');
    const name = facts.instruments.find((one) => one.number === notes.instrument[row])?.name || '';
    const sure = Number.isNaN(notes.confidence[row]) ? '' : notes.confidence[row].toFixed(2);
    const cells = [clock(notes.onsetS(row), 3), pitchName(notes.pitch[row]), name, sure, WORDS[judge.judged.get(row)?.value] || ''];
    line.append(...cells.map((text) => made('td', text)));
    const go = made('button', 'choose', { type: 'button', onclick: () => choose(row) });
    go.setAttribute('aria-label', `choose note ${row + 1}`);
    const cell = document.createElement('td');
    cell.append(go);
    line.append(cell);
    rows.push(line);
  }
  element('table').replaceChildren(...rows);
}

/** @param {{waiting: number, fault: string}} box @param {string} folder */
export function showSaved({ waiting, fault }, folder) {
  const time = new Date().toLocaleTimeString([], { hour12: false });
  element('saved').textContent = waiting ? `${waiting} not saved yet` : folder && `saved ${time} ✓`;
  element('saved').title = folder || '';
  element('banner').hidden = !fault;
  element('banner').textContent = fault && `${fault}${waiting ? ` ${waiting} judgements wait in this page.` : ''}`;
}
