/**
 * A grid that draws only the rows in view, for thousands of them. While somebody reads (the pointer is over it, or a
 * key was just pressed) the row under the pointer, or else the row under the cursor, keeps its place on the screen:
 * what comes in above it is counted and waits.
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { t } from "../i18n.js";
import { Icon } from "./icon.js";

const READING_MS = 8000;
const SPARE_ROWS = 6;

/**
 * @typedef {object} GridProps
 * @property {string} label           the grid's name for screen readers
 * @property {string} name            prefix of the rows' element ids
 * @property {any[]} items            records with an id, in order
 * @property {string} cursor          id of the chosen row, "" for none
 * @property {() => string} [now]   the chosen row as of this moment, for keys that come faster than drawing
 * @property {(id: string) => void} onCursor
 * @property {() => void} [onOpen]    Enter or double click on the chosen row
 * @property {any} header             the column heads
 * @property {(item: any, row: object) => any} row   draws one row; spread `row` on its element
 * @property {any} empty              what to show when there is nothing
 */

/** @param {GridProps} props */
export function Grid({ label, name, items, cursor, now, onCursor, onOpen, header, row, empty }) {
  const scroller = useRef(/** @type {HTMLElement|null} */ (null));
  const view = useView(scroller);
  const { waiting, hold, toTop } = useAnchor(scroller, items, cursor, view.rowHeight);
  const at = items.findIndex((item) => item.id === cursor);

  useLayoutEffect(() => {
    if (at >= 0) reveal(scroller.current, at, view.rowHeight);
  }, [cursor, view.rowHeight, view.height, items.length > 0]);

  const move = (/** @type {number} */ to) => {
    if (items.length) onCursor(items[Math.max(0, Math.min(items.length - 1, to))].id);
  };
  const page = Math.max(1, Math.floor(view.height / view.rowHeight) - 1);
  const index = () => items.findIndex((item) => item.id === (now?.() ?? cursor));
  const keys = /** @type {Record<string, () => void>} */ ({
    ArrowDown: () => move(index() + 1), ArrowUp: () => move(index() - 1), PageDown: () => move(index() + page),
    PageUp: () => move(index() - page), Home: () => move(0), End: () => move(items.length - 1), Enter: () => onOpen?.(),
  });
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    hold(true);
    const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const first = Math.max(0, Math.floor(view.top / view.rowHeight) - SPARE_ROWS);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / view.rowHeight) + SPARE_ROWS);
  const shown = items.slice(first, last);
  const active = at >= first && at < last ? `${name}-${cursor}` : undefined;

  return html`<div class=${`grid grid-${name}`}>
    ${waiting > 0 && html`<button type="button" class="waiting" onClick=${toTop}><${Icon} name="up" />${t("queue.waiting", { n: waiting })}</button>`}
    <div class="grid-scroll" ref=${scroller} role="grid" tabindex="0" aria-label=${label} aria-rowcount=${items.length + 1}
      aria-activedescendant=${active} onKeyDown=${pressed} onPointerMove=${() => hold(false)} onPointerLeave=${() => hold(null)}>
      <div class="grid-head" role="row" aria-rowindex="1">${header}</div>
      <div class="grid-canvas" role="rowgroup" style=${{ height: `${items.length * view.rowHeight}px` }}>
        ${shown.map((item, place) => row(item, {
          key: item.id,
          id: `${name}-${item.id}`,
          role: "row",
          "aria-rowindex": first + place + 2,
          "aria-selected": item.id === cursor ? "true" : "false",
          "data-id": item.id,
          style: { transform: `translateY(${(first + place) * view.rowHeight}px)` },
          onClick: () => onCursor(item.id),
          onDblClick: () => onOpen?.(),
        }))}
      </div>
    </div>
    ${items.length === 0 && html`<div class="grid-empty">${empty}</div>`}
  </div>`;
}

/**
 * What part of the grid is in view, in pixels, and how high the stylesheet makes a row.
 * @param {{current: HTMLElement|null}} scroller
 */
function useView(scroller) {
  const [view, setView] = useState({ top: 0, height: 800, rowHeight: 52 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const measure = () => {
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      const rows = parseFloat(getComputedStyle(element).getPropertyValue("--row-height")) || 3.5;
      const next = { top: element.scrollTop, height: element.clientHeight, rowHeight: Math.round(rows * rem) };
      setView((old) => (old.top === next.top && old.height === next.height && old.rowHeight === next.rowHeight ? old : next));
    };
    measure();
    element.addEventListener("scroll", measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", measure);
      observer.disconnect();
    };
  }, []);
  return view;
}

/**
 * Keeps the row that is being read where it is, by scrolling along with what comes in above it.
 * @param {{current: HTMLElement|null}} scroller
 * @param {any[]} items
 * @param {string} cursor
 * @param {number} rowHeight
 */
function useAnchor(scroller, items, cursor, rowHeight) {
  const until = useRef(0);
  const byPointer = useRef(false);
  const before = useRef(/** @type {any[]} */ ([]));
  const [waiting, setWaiting] = useState(0);
  const rows = waiting;

  /** @param {boolean|null} keyboard null: the pointer left */
  const hold = (keyboard) => {
    if (keyboard === null) byPointer.current = false;
    else {
      byPointer.current = !keyboard;
      until.current = performance.now() + READING_MS;
    }
  };
  const toTop = () => {
    setWaiting(0);
    scroller.current?.scrollTo({ top: 0 });
  };
  useLayoutEffect(() => {
    const old = before.current;
    before.current = items;
    const element = scroller.current;
    if (!element || performance.now() > until.current || old === items || !old.length) return;
    const hovered = byPointer.current ? element.querySelector("[role=row]:hover")?.getAttribute("data-id") : null;
    const id = hovered ?? cursor;
    const was = old.findIndex((item) => item.id === id);
    const is = items.findIndex((item) => item.id === id);
    if (was < 0 || is <= was) return;
    const canvas = element.querySelector(".grid-canvas");
    const wanted = element.scrollTop + (is - was) * rowHeight;
    if (canvas instanceof HTMLElement) canvas.style.minHeight = `${wanted + element.clientHeight}px`;
    element.scrollTop = wanted;
    setWaiting(rows + is - was);
  }, [items]);
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setInterval(() => {
      const element = scroller.current;
      if (!element || performance.now() < until.current) return;
      const canvas = element.querySelector(".grid-canvas");
      if (canvas instanceof HTMLElement) canvas.style.minHeight = "";
      element.scrollTop = Math.max(0, element.scrollTop - waiting * rowHeight);
      setWaiting(0);
    }, 500);
    return () => clearInterval(timer);
  }, [waiting]);
  return { waiting, hold, toTop };
}

/**
 * Scrolls as little as needed to show a row below the sticky head.
 * @param {HTMLElement|null} element
 * @param {number} index
 * @param {number} rowHeight
 */
function reveal(element, index, rowHeight) {
  if (!element) return;
  const head = element.querySelector(".grid-head")?.clientHeight ?? 0;
  const top = index * rowHeight;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top + rowHeight > element.scrollTop + element.clientHeight - head) {
    element.scrollTop = top + rowHeight - element.clientHeight + head;
  }
}
