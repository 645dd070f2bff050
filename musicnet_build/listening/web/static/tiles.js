/** Tiles of the spectrogram: fetched when they come into view, coloured here, the latest kept. */

export const ROWS = 264;
export const COLUMNS = 512;
export const COLUMN_S = 0.01;
export const LOWEST_PITCH = 21;
export const ROWS_PER_PITCH = 3;
const LEVELS = [1, 4, 16, 64];
const KEPT = 48;
const SHOWN_DB = 48;
const BYTES_PER_DB = 255 / 100;

export class Tiles {
  /**
   * @param {(level: number, column: number) => Promise<ArrayBuffer>} fetchTile
   * @param {() => void} onArrival
   */
  constructor(fetchTile, onArrival) {
    this.fetchTile = fetchTile;
    this.onArrival = onArrival;
    /** @type {Map<string, {bytes?: Uint8Array, bitmap?: ImageBitmap}>} */
    this.kept = new Map();
    this.version = 0;
    this.colour(false, -20);
  }

  /** @param {boolean} dark @param {number} loudnessDb of loud passages; the contrast goes by it */
  colour(dark, loudnessDb) {
    const top = (100 + loudnessDb + 3) * BYTES_PER_DB;
    this.table = new Uint32Array(256);
    for (let value = 0; value < 256; value += 1) {
      const share = Math.min(1, Math.max(0, 1 - (top - value) / (SHOWN_DB * BYTES_PER_DB)));
      const [from, to] = dark ? [[22, 23, 25], [190, 186, 172]] : [[255, 255, 255], [70, 67, 60]];
      const [r, g, b] = from.map((start, i) => Math.round(start + (to[i] - start) * share ** 1.6));
      this.table[value] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
    for (const [key, tile] of this.kept) if (tile.bytes) this.paint(key, tile);
  }

  /** @param {number} secondsPerPixel @returns {number} the level to draw with */
  static level(secondsPerPixel) {
    return LEVELS.findLast((level) => level === 1 || level * COLUMN_S <= 2 * secondsPerPixel);
  }

  /** @returns {ImageBitmap | undefined} a tile, if it is here; else it is sent for */
  get(level, column) {
    const key = `${level}/${column}`;
    const tile = this.kept.get(key);
    if (tile) {
      this.kept.delete(key);
      this.kept.set(key, tile);
      return tile.bitmap;
    }
    this.kept.set(key, {});
    this.load(key, level, column);
    if (this.kept.size > KEPT) {
      const [oldest, { bitmap }] = this.kept.entries().next().value;
      this.kept.delete(oldest);
      bitmap?.close();
    }
    return undefined;
  }

  async load(key, level, column) {
    try {
      const bytes = new Uint8Array(await this.fetchTile(level, column));
      if (this.kept.has(key)) await this.paint(key, { bytes });
    } catch {
      this.kept.delete(key); // asked for again when it is next drawn
    }
  }

  async paint(key, { bytes }) {
    const image = new ImageData(COLUMNS, ROWS);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < bytes.length; i += 1) pixels[i] = this.table[bytes[i]];
    const bitmap = await createImageBitmap(image);
    if (!this.kept.has(key)) return bitmap.close();
    this.kept.get(key).bitmap?.close();
    this.kept.set(key, { bytes, bitmap });
    this.version += 1;
    return this.onArrival();
  }
}
