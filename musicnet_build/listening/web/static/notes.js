/** The labelled notes of a recording: columns as the server sends them, and what the page asks of them. */

const NAMES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];
const DIFFERENT_S = 0.03;
const SAME_NOTE_S = 1;

/** @param {number} pitch @returns {string} such as C♯5 */
export const pitchName = (pitch) => NAMES[pitch % 12] + (Math.floor(pitch / 12) - 1);

export class Notes {
  /** @param {ArrayBuffer} block six columns of four bytes a value @param {number} rate */
  constructor(block, rate) {
    const count = block.byteLength / 24;
    const column = (i, Type) => new Type(block, 4 * count * i, count);
    this.count = count;
    this.rate = rate;
    this.onset = column(0, Int32Array);
    this.end = column(1, Int32Array);
    [this.pitch, this.instrument, this.confidence, this.beat] = [2, 3, 4, 5].map((i) => column(i, Float32Array));
    // Long notes that began before a window still sound in it: the latest end so far says how far back to look.
    this.latestEnd = new Int32Array(count);
    let latest = 0;
    for (let i = 0; i < count; i += 1) {
      latest = Math.max(latest, this.end[i]);
      this.latestEnd[i] = latest;
    }
    this.hasConfidence = this.confidence.some((value) => !Number.isNaN(value));
  }

  onsetS(row) {
    return this.onset[row] / this.rate;
  }

  /** @returns {[number, number]} the first row that may sound in a span, and the first that begins after it */
  rowsWithin(fromS, untilS) {
    return [firstAbove(this.latestEnd, fromS * this.rate), firstAbove(this.onset, untilS * this.rate)];
  }

  /** @returns {number} the first row that begins after a sample, or the count */
  rowAfter(sample) {
    return firstAbove(this.onset, sample);
  }

  /** @returns {number[]} all rows, the least certain first */
  byDoubt() {
    const doubt = (row) => (Number.isNaN(this.confidence[row]) ? 2 : this.confidence[row]);
    return Array.from({ length: this.count }, (_, row) => row).sort((a, b) => doubt(a) - doubt(b) || a - b);
  }

  /** @returns {number[]} [lowest, highest] pitch */
  range() {
    let [low, high] = [127, 0];
    for (const pitch of this.pitch) {
      low = Math.min(low, pitch);
      high = Math.max(high, pitch);
    }
    return [low, high];
  }

  /**
   * Local tempo in beats a minute at each onset: over two beats, chords taken together.
   * @returns {{time: number, beat: number, tempo: number, jump: boolean}[]}
   */
  tempo() {
    const chords = [];
    for (let row = 0; row < this.count; row += 1) {
      const last = chords.at(-1);
      if (last && Math.abs(last.beat - this.beat[row]) < 1e-3) {
        last.sum += this.onsetS(row);
        last.count += 1;
      } else if (!last || this.beat[row] > last.beat || last.beat - this.beat[row] > 1) {
        const jump = Boolean(last) && last.beat - this.beat[row] > 1;
        chords.push({ beat: this.beat[row], sum: this.onsetS(row), count: 1, jump });
      }
    }
    const points = chords.map(({ beat, sum, count, jump }) => ({ beat, time: sum / count, jump, tempo: NaN }));
    let from = 0;
    for (let i = 1; i < points.length; i += 1) {
      if (points[i].jump) from = i;
      while (from < i - 1 && points[i].beat - points[from].beat > 2) from += 1;
      const [beats, seconds] = [points[i].beat - points[from].beat, points[i].time - points[from].time];
      if (beats > 0 && seconds > 0.05) points[i].tempo = (60 * beats) / seconds;
    }
    return points;
  }

  /**
   * Where another label set places the same notes more than 30 ms elsewhere, or has none.
   * @param {Notes} other
   * @returns {{row: number, apartS: number}[]} NaN where there is no counterpart
   */
  differences(other) {
    const counterparts = other.byKey();
    const found = [];
    for (let row = 0; row < this.count; row += 1) {
      const near = nearest(counterparts.get(this.key(row)) || [], this.onset[row]);
      const apartS = near === null ? NaN : (near - this.onset[row]) / this.rate;
      if (!(Math.abs(apartS) <= SAME_NOTE_S)) found.push({ row, apartS: NaN });
      else if (Math.abs(apartS) > DIFFERENT_S) found.push({ row, apartS });
    }
    return found;
  }

  /** Notes are the same where pitch, instrument and beat are; formats without beats have 0 everywhere. */
  key(row) {
    return `${this.pitch[row]} ${this.instrument[row]} ${this.beat[row].toFixed(2)}`;
  }

  byKey() {
    const onsets = new Map();
    for (let row = 0; row < this.count; row += 1) {
      const key = this.key(row);
      if (!onsets.has(key)) onsets.set(key, []);
      onsets.get(key).push(this.onset[row]);
    }
    return onsets;
  }
}

function nearest(sorted, value) {
  const after = firstAbove(sorted, value);
  const candidates = [sorted[after - 1], sorted[after]].filter((one) => one !== undefined);
  if (!candidates.length) return null;
  return candidates.reduce((a, b) => (Math.abs(b - value) < Math.abs(a - value) ? b : a));
}

/** @returns {number} the first place of a sorted array whose value is greater */
function firstAbove(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
