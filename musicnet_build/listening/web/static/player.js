/**
 * Plays one stereo stream: recording on the left, labels on the right, chunk after chunk on the clock of the sound
 * card. The two are one buffer from the server on, so nothing here can part them.
 */

export const RATE = 44100;
export const FADE_FRAMES = 132; // 3 ms, at every cut
const FULL_SCALE = 32767 * 0.5; // the server halves its samples, so that loud tones are not cut off
const LEAD_S = 0.06; // from a chunk's arrival to its sound
const FIRST_S = 0.4;
const AHEAD_S = 4;
const CHUNK_S = [FIRST_S, 0.8, 1.6];

/**
 * Build what a chunk goes through: its two sides, each with a level, mixed to the middle.
 * @param {BaseAudioContext} context
 * @param {AudioNode} output
 */
export function mixer(context, output) {
  const input = context.createChannelSplitter(2);
  const [recording, labels] = [context.createGain(), context.createGain()];
  input.connect(recording, 0);
  input.connect(labels, 1);
  recording.connect(output);
  labels.connect(output);
  return { input, recording, labels };
}

/**
 * @param {BaseAudioContext} context
 * @param {ArrayBuffer} bytes int16 stereo
 * @param {{fadeIn?: boolean, fadeOut?: boolean}} [fades]
 * @returns {AudioBuffer}
 */
export function audioBuffer(context, bytes, { fadeIn = false, fadeOut = false } = {}) {
  const samples = new Int16Array(bytes);
  const frames = samples.length / 2;
  const buffer = context.createBuffer(2, frames, RATE);
  for (let channel = 0; channel < 2; channel += 1) {
    const data = buffer.getChannelData(channel);
    for (let i = 0; i < frames; i += 1) data[i] = samples[2 * i + channel] / FULL_SCALE;
    const fade = Math.min(FADE_FRAMES, frames);
    for (let i = 0; i < fade; i += 1) {
      if (fadeIn) data[i] *= i / fade;
      if (fadeOut) data[frames - 1 - i] *= i / fade;
    }
  }
  return buffer;
}

/**
 * Schedule a buffer on a whole sample, so that chunks join without a seam.
 * @param {BaseAudioContext} context
 * @param {AudioBuffer} buffer
 * @param {AudioNode} input
 * @param {number} frame of the context
 * @returns {AudioBufferSourceNode}
 */
export function schedule(context, buffer, input, frame) {
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(input);
  source.start(frame / RATE);
  return source;
}

/**
 * @typedef {Object} Passage what is to be played, in samples of the recording
 * @property {number} from
 * @property {number} until
 * @property {boolean} [loop]
 * @property {boolean} [bare] the recording alone, at its own speed: for a cut
 */

export class Player {
  /**
   * @param {(query: {from: number, frames: number, speed: number, bare: boolean}, signal: AbortSignal) => Promise<ArrayBuffer>} fetchChunk
   * @param {(state: string, message?: string) => void} onState idle, loading, playing, waiting, ended, failed
   */
  constructor(fetchChunk, onState) {
    this.fetchChunk = fetchChunk;
    this.onState = onState;
    this.state = 'idle';
    this.speed = 1;
    this.mix = 0.5;
    this.only = '';
    this.generation = 0;
    /** Where on the context's clock which sample sounds: [{frame, sample, speed, end}] */
    this.anchors = [];
    this.rest = 0;
    this.context = null;
  }

  /** Begin or resume the context: browsers allow it inside a click or a key press only. */
  open() {
    if (!this.context) {
      if (navigator.audioSession) navigator.audioSession.type = 'playback';
      this.context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
      this.context.onstatechange = () => this.context.state === 'interrupted' && this.stop();
      this.output = this.context.createGain();
      this.output.connect(this.context.destination);
      this.timer = setInterval(() => this.watch(), 50);
    }
    if (this.context.state !== 'running') this.context.resume();
  }

  /** @param {Passage} passage */
  async play(passage) {
    this.open();
    this.silence();
    const generation = this.generation;
    this.passage = passage;
    this.anchors = [];
    this.rest = passage.from;
    this.abort = new AbortController();
    this.node = this.context.createGain();
    this.node.connect(this.output);
    this.graph = mixer(this.context, this.node);
    this.level(passage.bare);
    this.sources = new Set();
    this.become('loading');
    try {
      await this.pump(passage, generation);
    } catch (error) {
      if (generation === this.generation && error.name !== 'AbortError') {
        this.silence();
        this.become('failed', error.message);
      }
    }
  }

  /** Fetch and schedule until the passage is over or another begins. */
  async pump(passage, generation) {
    const speed = passage.bare ? 1 : this.speed;
    let sample = passage.from;
    for (let number = 0; ; number += 1) {
      const seconds = CHUNK_S[Math.min(number, CHUNK_S.length - 1)];
      const left = passage.until - sample;
      const wanted = Math.round((seconds * RATE) / speed);
      // The last chunk must hold all of its fade.
      const frames = left - wanted <= FADE_FRAMES ? left : wanted;
      const query = { from: sample, frames, speed, bare: Boolean(passage.bare) };
      const bytes = await this.fetchChunk(query, this.abort.signal);
      if (generation !== this.generation) return;
      const last = sample + frames >= passage.until;
      const fades = { fadeIn: sample === passage.from, fadeOut: last };
      this.append(bytes, sample, speed, fades);
      sample += frames;
      if (last && !passage.loop) break;
      if (last) sample = passage.from;
      while (this.scheduledS() > AHEAD_S) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (generation !== this.generation) return;
      }
    }
    this.complete = true;
  }

  /** Put a chunk behind the last one; where that has run out, begin anew and say so rather than slide. */
  append(bytes, sample, speed, fades) {
    const last = this.anchors.at(-1);
    const earliest = Math.ceil((this.context.currentTime + LEAD_S) * RATE);
    const late = !last || last.end < Math.ceil(this.context.currentTime * RATE) + 128;
    const frame = late ? earliest : last.end;
    const buffer = audioBuffer(this.context, bytes, { ...fades, fadeIn: fades.fadeIn || late });
    const source = schedule(this.context, buffer, this.graph.input, frame);
    this.sources.add(source);
    source.onended = () => {
      this.sources?.delete(source);
      source.disconnect();
    };
    this.anchors.push({ frame, sample, speed, end: frame + buffer.length });
    if (this.anchors.length > 8) this.anchors.shift();
    this.become('playing');
  }

  /** Notice when sound runs out. */
  watch() {
    if (this.state !== 'playing' || this.scheduledS() > 0) return;
    if (!this.complete) {
      this.become('waiting', 'waiting for sound …');
      return;
    }
    this.rest = this.position();
    this.silence();
    this.become('ended');
  }

  /** @returns {number} seconds of sound that are scheduled and not yet over */
  scheduledS() {
    const last = this.anchors.at(-1);
    return last ? last.end / RATE - this.context.currentTime : 0;
  }

  /** @returns {number} the sample of the recording that is heard now */
  position() {
    if (!this.anchors.length) return this.rest;
    const heard = this.heardS() * RATE;
    const anchor = [...this.anchors].reverse().find((one) => one.frame <= heard) || this.anchors[0];
    const within = Math.min(Math.max(heard - anchor.frame, 0), anchor.end - anchor.frame);
    return anchor.sample + within / anchor.speed;
  }

  /** @returns {number} the context's time of what leaves the loudspeaker now */
  heardS() {
    const { contextTime, performanceTime } = this.context.getOutputTimestamp?.() || {};
    if (contextTime > 0) return contextTime + (performance.now() - performanceTime) / 1000;
    return this.context.currentTime - (this.context.outputLatency || 0);
  }

  /** Stop, and stay where the sound was. */
  stop() {
    if (this.active()) this.rest = this.position();
    this.silence();
    this.become('idle');
  }

  active() {
    return ['loading', 'playing', 'waiting'].includes(this.state);
  }

  /** End all sound within 3 ms, drop what is under way. */
  silence() {
    this.generation += 1;
    this.abort?.abort();
    this.complete = false;
    this.anchors = [];
    if (!this.node) return;
    const now = this.context.currentTime;
    this.node.gain.setValueAtTime(1, now);
    this.node.gain.linearRampToValueAtTime(0, now + FADE_FRAMES / RATE);
    const { node, sources } = this;
    for (const source of sources) source.stop(now + FADE_FRAMES / RATE);
    setTimeout(() => node.disconnect(), 100);
    this.node = null;
  }

  /** Set the levels of both sides from the mix. */
  level(bare = this.passage?.bare) {
    if (!this.graph) return;
    const hears = (side) => !this.only || this.only === side;
    const { recording, labels } = this.graph;
    recording.gain.value = bare ? 1 : hears('recording') * Math.min(1, 2 * (1 - this.mix));
    labels.gain.value = bare ? 0 : hears('labels') * Math.min(1, 2 * this.mix);
  }

  become(state, message = '') {
    if (state === this.state && !message) return;
    this.state = state;
    this.onState(state, message);
  }
}
