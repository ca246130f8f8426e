/**
 * Alerts that are heard: three patterns made by WebAudio in code. A critical alert sounds at once and every ten seconds
 * until it is acknowledged or silenced; a high one once; a lost link has a chime of its own.
 */
import { computed, effect, signal } from "./html.js";
import { link } from "./live/stream.js";
import { alerts, needsEyes, pressing } from "./live/store.js";
import { volume } from "./prefs.js";

const REPEAT_MS = 10_000;

/** @type {AudioContext|null} */
let context = null;
/** `off` before the first gesture, then what the AudioContext says of itself. */
export const audio = signal(/** @type {"off"|"running"|"suspended"|"closed"|"interrupted"} */ ("off"));
/** Whether a sound would be heard. */
export const audible = computed(() => audio.value === "running" && volume.value > 0);
/** Ids of critical alerts whose sound a person has stopped. */
export const silenced = signal(/** @type {ReadonlySet<string>} */ (new Set()));
/** The last pattern played and how many there were: shown to tests and to nobody else. */
export const played = signal({ pattern: "", count: 0 });

/** Patterns as [start s, hertz, length s, loudness]. */
const PATTERNS = /** @type {Record<string, number[][]>} */ ({
  critical: [0, 0.32, 0.64, 0.96].map((at, n) => [at, n % 2 ? 740 : 988, 0.28, 1]),
  high: [[0, 660, 0.18, 0.7], [0.22, 660, 0.24, 0.7]],
  link: [[0, 523, 0.3, 0.6], [0.3, 392, 0.3, 0.6], [0.6, 294, 0.5, 0.6]],
});

/** Starts the sound, inside a person's gesture, and plays a test. */
export async function startSound() {
  if (!context) {
    context = new AudioContext();
    context.onstatechange = () => {
      audio.value = context?.state ?? "off";
    };
  }
  await context.resume().catch(() => undefined);
  audio.value = context.state;
  play("critical");
}

/** @param {"critical"|"high"|"link"} pattern */
function play(pattern) {
  played.value = { pattern, count: played.peek().count + 1 };
  if (!context || context.state !== "running" || volume.peek() === 0) return;
  const start = context.currentTime + 0.02;
  for (const [at, hertz, length, loudness] of PATTERNS[pattern]) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = "triangle";
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, start + at);
    gain.gain.linearRampToValueAtTime(loudness * volume.peek(), start + at + 0.02);
    gain.gain.setValueAtTime(loudness * volume.peek(), start + at + length - 0.05);
    gain.gain.linearRampToValueAtTime(0, start + at + length);
    tone.connect(gain).connect(context.destination);
    tone.start(start + at);
    tone.stop(start + at + length);
  }
}

/** Stops the sound of everything that is sounding now. Not an acknowledgement. */
export function silence() {
  silenced.value = new Set(pressing.peek().map((alert) => alert.id));
}

/** Critical alerts that sound: not acknowledged, not silenced. */
export const sounding = computed(() => pressing.value.filter((alert) => !silenced.value.has(alert.id)));

/** Watches the store and the link, and sounds. Called once. */
export function watchForSounds() {
  let lastCritical = -Infinity;
  /** @type {Set<string>} */
  let heardCritical = new Set();
  /** @type {Set<string>|null} */
  let knownHigh = null;

  const critical = () => {
    lastCritical = performance.now();
    play("critical");
  };
  effect(() => {
    const ids = new Set(sounding.value.map((alert) => alert.id));
    const fresh = [...ids].some((id) => !heardCritical.has(id));
    heardCritical = ids;
    if (fresh) critical();
  });
  effect(() => {
    const stillPressing = new Set(pressing.value.map((alert) => alert.id));
    const kept = [...silenced.peek()].filter((id) => stillPressing.has(id));
    if (kept.length !== silenced.peek().size) silenced.value = new Set(kept);
  });
  effect(() => {
    const ids = new Set();
    for (const alert of alerts.all()) if (alert.severity === "high" && needsEyes(alert)) ids.add(alert.id);
    const fresh = knownHigh !== null && [...ids].some((id) => !knownHigh?.has(id));
    if (alerts.loaded.value) knownHigh = ids;
    if (fresh && performance.now() - lastCritical > 1500) play("high");
  });
  effect(() => {
    if (link.value === "stale") play("link");
  });
  setInterval(() => {
    if (sounding.peek().length && performance.now() - lastCritical >= REPEAT_MS) critical();
  }, 500);
}
