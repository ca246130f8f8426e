/** The page's building stones: htm bound to Preact, the hooks, and signals that re-render what reads them. */
export { html, render } from "htm/preact";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { batch, computed, effect, signal, useComputed, useSignal } from "@preact/signals";

/**
 * Joins the class names that are truthy.
 * @param {...(string|false|null|undefined)} names
 */
export const classes = (...names) => names.filter(Boolean).join(" ");
