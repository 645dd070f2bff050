/** Keys: which do what, the overlay that says so, and a switch for those who do not want single keys. */

/** [key as pressed, action, as shown, what it does] by group; each action is also a button or a gesture. */
export const KEYS = {
  Playing: [
    [' ', 'play', 'space', 'play, pause'],
    ['shift+ ', 'play-selection', 'shift space', 'play the selection (drag over the notes) or the chosen note once'],
    ['l', 'loop', 'L', 'loop the selection, or the chosen note'],
    ['1', 'speed1', '1', 'full speed'],
    ['2', 'speed2', '2', 'half speed, same pitch'],
    ['4', 'speed4', '4', 'quarter speed, same pitch'],
    ['[', 'mix-recording', '[', 'more recording'],
    [']', 'mix-labels', ']', 'more labels'],
    ['t', 'only', 'T', 'labels alone, recording alone, both'],
  ],
  Moving: [
    ['ArrowLeft', 'back', '←', 'back 1 s'],
    ['ArrowRight', 'forward', '→', 'on 1 s'],
    ['shift+ArrowLeft', 'back-far', 'shift ←', 'back 5 s'],
    ['shift+ArrowRight', 'forward-far', 'shift →', 'on 5 s'],
    [',', 'previous-note', ',', 'previous note'],
    ['.', 'next-note', '.', 'next note'],
    ['n', 'next-doubtful', 'N', 'next doubtful note'],
    ['p', 'previous-doubtful', 'P', 'previous doubtful note'],
    ['g', 'next-span', 'G', 'next suspicious span'],
    ['v', 'next-difference', 'V', 'next note on which two label sets differ by more than 30 ms'],
    ['b', 'swap-labels', 'B', 'hear the other label set'],
    ['Home', 'beginning', 'Home', 'beginning'],
    ['m', 'middle', 'M', 'somewhere in the middle'],
    ['End', 'end', 'End', 'last seconds'],
    ['+', 'zoom-in', '+', 'see less, larger'],
    ['-', 'zoom-out', '−', 'see more, smaller'],
  ],
  'The cut': [
    ['z', 'cut-before', 'Z', 'hear the recording up to the label'],
    ['x', 'cut-after', 'X', 'hear the recording from the label on'],
    ['c', 'cut-both', 'C', 'the one, then the other'],
  ],
  'Judging the note': [
    ['f', 'fine', 'F', 'fine'],
    ['e', 'tone_early', 'E', 'the tone comes before the note'],
    ['d', 'tone_late', 'D', 'the tone comes after the note'],
    ['w', 'wrong_pitch', 'W', 'another pitch is played'],
    ['s', 'not_played', 'S', 'nothing is played there'],
    ['o', 'missing', 'O', 'a note sounds here that has no label'],
    ['Backspace', 'clear', 'Backspace', 'take the mark away'],
  ],
  'Judging the recording': [
    ['a', 'accepted', 'A', 'accept'],
    ['u', 'review', 'U', 'unsure: another should listen'],
    ['r', 'rejected', 'R', 'reject'],
    ['ctrl+z', 'undo', 'ctrl Z', 'undo'],
    ['ctrl+y', 'redo', 'ctrl Y', 'redo'],
  ],
  Page: [
    ['?', 'help', '?', 'this list'],
    ['k', 'single-keys', 'K', 'single keys on or off'],
  ],
};

const STORE = 'musicnet-build-audit-single-keys';

export class Keyboard {
  /** @param {(action: string) => void} act @param {(on: boolean) => void} onSwitch */
  constructor(act, onSwitch) {
    this.act = act;
    this.onSwitch = onSwitch;
    this.actions = new Map(Object.values(KEYS).flat().map(([key, action]) => [key, action]));
    this.on = localStorage.getItem(STORE) !== 'off';
    document.addEventListener('keydown', (event) => this.press(event));
  }

  /** @param {boolean} on */
  turn(on) {
    this.on = on;
    localStorage.setItem(STORE, on ? 'on' : 'off');
    this.onSwitch(on);
  }

  press(event) {
    const { target } = event;
    const typing = target.matches('input:not([type="range"], [type="checkbox"]), textarea, select');
    if (typing || event.altKey || event.isComposing || document.querySelector('dialog[open]')) return;
    // Space presses the button that has the focus, and arrows move the slider, as everywhere.
    if (event.key === ' ' && target.matches('button, summary, input[type="checkbox"]') && !event.shiftKey) return;
    if (target.matches('input[type="range"]') && /^(Arrow|Home|End)/.test(event.key)) return;
    const action = this.actions.get(name(event));
    if (!action || (!this.on && !event.ctrlKey && !event.metaKey && action !== 'single-keys')) return;
    event.preventDefault();
    this.act(action);
  }

  /** @param {HTMLElement} element to fill with the list of keys */
  describe(element) {
    for (const [title, keys] of Object.entries(KEYS)) {
      const heading = document.createElement('h3');
      heading.textContent = title;
      const list = document.createElement('dl');
      for (const [, , shown, what] of keys) {
        const [term, text, key] = ['dt', 'dd', 'kbd'].map((tag) => document.createElement(tag));
        key.textContent = shown;
        term.append(key);
        text.textContent = what;
        list.append(term, text);
      }
      element.append(heading, list);
    }
  }
}

function name(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const control = event.ctrlKey || event.metaKey ? 'ctrl+' : '';
  if (control && event.shiftKey && key === 'z') return 'ctrl+y';
  // The shift that a character itself needs (?, +) is no shift of ours.
  const shift = event.shiftKey && (key === ' ' || key.startsWith('Arrow')) ? 'shift+' : '';
  return control + shift + key;
}
