/** What all pictures of the page share: sharp canvases, colours of the theme, colours of notes. */

/** Okabe and Ito's colours, told apart by all eyes. */
const INSTRUMENT_COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6d1f', '#7f7f7f'];
export const UNSURE = 0.5;

export class Surface {
  /** @param {HTMLCanvasElement} canvas @param {() => void} onResize */
  constructor(canvas, onResize) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.resize();
    new ResizeObserver(() => {
      this.resize();
      onResize();
    }).observe(canvas);
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    this.ratio = window.devicePixelRatio || 1;
    this.width = Math.max(1, Math.round(box.width));
    this.height = Math.max(1, Math.round(box.height));
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
  }

  /** @returns {CanvasRenderingContext2D} cleared, in CSS pixels */
  begin() {
    const { context, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    return context;
  }

  /** @returns {Layer} an invisible canvas of the same size */
  layer() {
    return new Layer(this);
  }
}

/** A picture that changes seldom: drawn again when its key changes, else copied. */
class Layer {
  constructor(surface) {
    this.surface = surface;
    this.canvas = document.createElement('canvas');
    this.key = '';
  }

  /** @param {string} key of all that the picture shows @param {(context: CanvasRenderingContext2D) => void} draw */
  show(key, draw) {
    const { width, height, ratio, context, canvas } = this.surface;
    const full = `${key} ${canvas.width} ${canvas.height}`;
    if (full !== this.key) {
      const own = this.canvas.getContext('2d');
      // Setting a size, be it the same, makes a new bitmap.
      if (this.canvas.width !== canvas.width) this.canvas.width = canvas.width;
      if (this.canvas.height !== canvas.height) this.canvas.height = canvas.height;
      own.setTransform(ratio, 0, 0, ratio, 0, 0);
      own.clearRect(0, 0, width, height);
      draw(own);
      this.key = full;
    }
    context.drawImage(this.canvas, 0, 0, width, height);
  }
}

let colours = null;

/** @returns {Record<string, string>} the theme's colours by name */
export function theme() {
  if (!colours) {
    const style = getComputedStyle(document.documentElement);
    const names = ['paper', 'card', 'ink', 'soft', 'line', 'accent', 'warn', 'band', 'sure', 'doubtful', 'mark'];
    colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    colours.dark = document.documentElement.dataset.theme === 'dark';
  }
  return colours;
}

/** @param {boolean} dark */
export function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  colours = null;
}

const STEPS = 8;

/** @param {number} confidence @returns {number} a class of colour, -1 where it is unknown */
export const confidenceClass = (confidence) =>
  Number.isNaN(confidence) ? -1 : Math.min(STEPS - 1, Math.floor(confidence * STEPS));

/** @param {number} step @returns {string} from doubtful to sure */
export function confidenceColour(step) {
  if (step < 0) return theme().sure;
  const share = Math.round((100 * step) / (STEPS - 1));
  return `color-mix(in oklab, ${theme().sure} ${share}%, ${theme().doubtful})`;
}

/** @param {number} place among the instruments @returns {string} */
export const instrumentColour = (place) => INSTRUMENT_COLOURS[place % INSTRUMENT_COLOURS.length];

const patterns = new Map();

/** @param {CanvasRenderingContext2D} context @param {string} colour @returns {CanvasPattern} diagonal lines */
export function hatch(context, colour) {
  if (!patterns.has(colour)) patterns.set(colour, hatching(context, colour));
  return patterns.get(colour);
}

function hatching(context, colour) {
  const cell = document.createElement('canvas');
  cell.width = 6;
  cell.height = 6;
  const own = cell.getContext('2d');
  own.strokeStyle = colour;
  own.lineWidth = 1.4;
  own.beginPath();
  for (const shift of [-6, 0, 6]) {
    own.moveTo(shift, 6);
    own.lineTo(shift + 6, 0);
  }
  own.stroke();
  return context.createPattern(cell, 'repeat');
}

/** @param {number} seconds @returns {string} such as 1:23.4 */
export function clock(seconds, digits = 1) {
  const sign = seconds < 0 ? '−' : '';
  const size = Math.abs(seconds);
  const rest = (size % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, '0');
  return `${sign}${Math.floor(size / 60)}:${rest}`;
}
