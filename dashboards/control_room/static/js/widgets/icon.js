/** Line icons and the severity shapes, as inline SVG. The shapes carry the level together with colour and word. */
import { html } from "../html.js";
import { t } from "../i18n.js";

const PATHS = /** @type {Record<string, string>} */ ({
  alerts: "M12 4a6 6 0 0 0-6 6v4l-2 3h16l-2-3v-4a6 6 0 0 0-6-6zM10 20h4",
  devices: "M5 5h14v10H5zM9 19h6M12 15v4",
  orders: "M7 4h10v16H7zM10 8h4M10 12h4M10 16h2",
  schedules: "M5 6h14v14H5zM5 10h14M9 4v4M15 4v4M9 14h2M13 14h2",
  duty: "M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3 19a6 6 0 0 1 12 0M17 8v4l3 2M17 17a5 5 0 0 0 3-9",
  plans: "M5 6l2 2 3-3M5 13l2 2 3-3M13 7h6M13 14h6M13 20h6M6 20h1",
  passes: "M3 7h18v10H3zM7 11h4M7 14h2M15 10v4",
  commands: "M12 4v7M8 6.500a7 7 0 1 0 8 0",
  rules: "M4 5h10M4 10h7M4 15h5M14 12l3 3 4-6M13 19h8",
  reports: "M5 20V4M5 20h15M9 16v-4M13 16V8M17 16v-6",
  health: "M3 12h4l3-7 4 14 3-7h4",
  sound: "M4 10v4h4l5 4V6L8 10zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11",
  mute: "M4 10v4h4l5 4V6L8 10zM17 10l4 4M21 10l-4 4",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20a7 7 0 0 1 14 0",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.5",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.5",
  link: "M4 12h3l2-5 4 10 2-5h5",
  cut: "M4 12h4M16 12h4M10 8l4 8M14 8l-4 8",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.5v.5",
  up: "M12 19V5M6 11l6-6 6 6",
  tool: "M14 6a4 4 0 0 0-4 5l-6 6 3 3 6-6a4 4 0 0 0 5-5l-2.5 2.5-2.5-.5-.5-2.5z",
  auto: "M13 3L5 14h6l-1 7 8-11h-6z",
  hand: "M8 12V6a1.5 1.5 0 0 1 3 0v5m0-6.500a1.500 1.500 0 0 1 3 0V11m0-4a1.500 1.500 0 0 1 3 0v7a6 6 0 0 1-6 6c-3 0-4-1.500-6-5l-1-2c-.5-1.200 1-2 2-1l2 2",
  board: "M4 5h4v14H4zM10 5h4v9h-4zM16 5h4v11h-4z",
  list: "M4 7h16M4 12h16M4 17h16",
});

/** One line icon, hidden from screen readers: a text always stands beside it. @param {{name: string}} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name] ?? PATHS.info} /></svg>`;
}

const SHAPES = /** @type {Record<string, string>} */ ({
  critical: "M5 1h6l4 4v6l-4 4H5l-4-4V5z",
  high: "M8 1.200L15.500 14.500H.500z",
  medium: "M8 .600L15.400 8 8 15.400.600 8z",
});

/**
 * The shape of a level: octagon, triangle, diamond, hollow circle. `urgent` lets it blink, slowly.
 * @param {{level: string, urgent?: boolean}} props
 */
export function Shape({ level, urgent = false }) {
  return html`<svg class=${`shape ${level}${urgent ? " urgent" : ""}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    ${SHAPES[level] ? html`<path d=${SHAPES[level]} />` : html`<circle cx="8" cy="8" r="5.8" />`}
  </svg>`;
}

/** Shape and word of a level. @param {{level: string, urgent?: boolean}} props */
export function Level({ level, urgent = false }) {
  return html`<span class=${`level ${level}`}><${Shape} level=${level} urgent=${urgent} /><span>${t(`severity.${level}`)}</span></span>`;
}
