/** A button that must be held for a second, by mouse, finger, Enter or Space: nothing heavy happens by a slip. */
import { html, useEffect, useRef, useState } from "../html.js";

const HOLD_MS = 1000;

/**
 * @param {{label: string, hint: string, onHeld: () => void, onHolding?: (holding: boolean) => void, disabled?: boolean}} props
 */
export function HoldButton({ label, hint, onHeld, onHolding, disabled = false }) {
  const [holding, setHolding] = useState(false);
  const timer = useRef(0);
  const stop = () => {
    if (!timer.current) return;
    clearTimeout(timer.current);
    timer.current = 0;
    setHolding(false);
    onHolding?.(false);
  };
  const start = () => {
    if (timer.current || disabled) return;
    setHolding(true);
    onHolding?.(true);
    timer.current = window.setTimeout(() => {
      stop();
      onHeld();
    }, HOLD_MS);
  };
  useEffect(() => stop, []);
  const isPress = (/** @type {KeyboardEvent} */ event) => event.key === "Enter" || event.key === " ";
  return html`<button type="button" class=${`hold ${holding ? "holding" : ""}`} disabled=${disabled} autofocus
    onPointerDown=${(/** @type {PointerEvent} */ event) => event.button === 0 && start()} onPointerUp=${stop} onPointerLeave=${stop} onPointerCancel=${stop}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (isPress(event)) { event.preventDefault(); if (!event.repeat) start(); } }}
    onKeyUp=${(/** @type {KeyboardEvent} */ event) => isPress(event) && stop()} onBlur=${stop}
    onContextMenu=${(/** @type {Event} */ event) => event.preventDefault()}>
    <span class="hold-fill" aria-hidden="true"></span><strong>${label}</strong><small>${hint}</small>
  </button>`;
}
