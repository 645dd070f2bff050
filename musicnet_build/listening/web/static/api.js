/** What the page asks the server, and the judgements on their way to it. */

const pageToken = document.querySelector('meta[name="audit-token"]').content;

/** Something that the server, or the way to it, could not do; the message is for people. */
export class ServerError extends Error {
  /** @param {string} message @param {number} status 0 where there was no answer */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
async function answered(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ServerError('The program does not answer: is it still running?', 0);
  }
  if (response.ok) return response;
  const body = (response.headers.get('content-type') || '').includes('json') ? await response.json() : {};
  throw new ServerError(body.error || `The program refused (${response.status}).`, response.status);
}

/** @param {string} path @returns {Promise<any>} */
export const json = async (path) => (await answered(path)).json();

const WRITING = { 'Content-Type': 'application/json', 'X-Audit-Token': pageToken };

/** @param {string} path @param {object} body */
const post = (path, body) => answered(path, { method: 'POST', headers: WRITING, body: JSON.stringify(body) });

/** @param {string} path @param {object} body @returns {Promise<any>} */
export const posted = async (path, body) => (await post(path, body)).json();

/** @param {string} path @param {AbortSignal} [signal] @returns {Promise<ArrayBuffer>} */
export const binary = async (path, signal) => (await answered(path, { signal })).arrayBuffer();

/** @param {string} id @returns {string} the start of all addresses of one recording */
export const recordingPath = (id) => `/api/recordings/${encodeURIComponent(id)}`;

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** @returns {string} a ULID: 48 bits of time, 80 of chance, in Crockford's base 32 */
export function ulid() {
  let time = Date.now();
  let text = '';
  for (let i = 0; i < 10; i += 1) {
    text = ALPHABET[time % 32] + text;
    time = Math.floor(time / 32);
  }
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) text += ALPHABET[byte % 32];
  return text;
}

const RETRY_MS = 2000;
const BATCH = 50;

/** Judgements that the server has not yet acknowledged; they outlive the page and are sent in order. */
export class Outbox {
  /**
   * @param {string} name of the store, one a catalogue
   * @param {(state: {waiting: number, fault: string}) => void} onChange
   */
  constructor(name, onChange) {
    this.prefix = `musicnet-build-audit:${name}:`;
    this.onChange = onChange;
    this.fault = '';
    this.sending = false;
    /** @type {{id: string}[]} */
    this.waiting = this.stored();
    window.addEventListener('online', () => this.send());
    this.send();
  }

  /** @param {{id: string}} event */
  add(event) {
    this.waiting.push(event);
    try {
      // A key an event: several tabs keep theirs without knowing of each other.
      localStorage.setItem(this.prefix + event.id, JSON.stringify(event));
    } catch {
      this.fault = 'This browser keeps nothing: do not close the page before all is saved.';
    }
    this.send();
  }

  /** Send what waits, and keep trying while nobody answers. */
  async send() {
    this.changed();
    if (this.sending) return;
    this.sending = true;
    let size = BATCH;
    while (this.waiting.length) {
      const batch = this.waiting.slice(0, size);
      try {
        await this.post(batch);
        this.fault = '';
        this.settle(batch);
      } catch (error) {
        this.fault = error.message;
        this.changed();
        if (error.status !== 400) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        // What the server will never take must not keep back the rest: it is said, and dropped.
        else if (size === 1) this.settle(batch);
        else size = 1;
      }
    }
    this.sending = false;
  }

  /** @param {object[]} batch */
  post(batch) {
    return post('/api/events', batch);
  }

  /** @param {{id: string}[]} batch */
  settle(batch) {
    this.waiting.splice(0, batch.length);
    for (const event of batch) localStorage.removeItem(this.prefix + event.id);
    this.changed();
  }

  changed() {
    this.onChange({ waiting: this.waiting.length, fault: this.fault });
  }

  /** @returns {{id: string}[]} what an earlier page could not send, in the order in which it was judged */
  stored() {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
    const texts = keys.sort().map((key) => localStorage.getItem(key));
    return texts.flatMap((text) => {
      try {
        return [JSON.parse(text)];
      } catch {
        return [];
      }
    });
  }
}
