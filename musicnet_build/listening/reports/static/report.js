'use strict';
// A clip is one stereo sound, recording left and labels right: they cannot part. The slider mixes the two.
let context = null;
let playing = null;

function decoded(text) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  return context.decodeAudioData(bytes.buffer);
}

function stop() {
  if (!playing) return;
  playing.source.stop();
  playing.button.textContent = '▶';
  playing = null;
}

function level(graph, mix) {
  graph[0].gain.value = Math.min(1, 2 * (1 - mix));
  graph[1].gain.value = Math.min(1, 2 * mix);
}

async function play(clip, button, slider) {
  const again = playing?.button === button;
  stop();
  if (again) return;
  context ??= new AudioContext({ sampleRate: 44100 });
  context.resume();
  clip.buffer ??= await decoded(clip.querySelector('script').textContent);
  const source = context.createBufferSource();
  const splitter = context.createChannelSplitter(2);
  const gains = [context.createGain(), context.createGain()];
  source.buffer = clip.buffer;
  source.connect(splitter);
  gains.forEach((gain, side) => { splitter.connect(gain, side); gain.connect(context.destination); });
  level(gains, Number(slider.value));
  slider.oninput = () => level(gains, Number(slider.value));
  source.onended = () => { if (playing?.source === source) stop(); };
  source.start();
  playing = { source, button };
  button.textContent = '❚❚';
  clip.dataset.played = String(clip.buffer.duration);
}

for (const clip of document.querySelectorAll('.clip')) {
  const button = clip.querySelector('button');
  button.onclick = () => play(clip, button, clip.querySelector('input')).catch((error) => { button.textContent = `✗ ${error.message}`; });
}
