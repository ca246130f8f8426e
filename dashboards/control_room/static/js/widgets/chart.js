/** A trend drawn by uPlot in the page's own colours. What is missing is a gap, never a zero. */
import uPlot from "uplot";
import { html, useEffect, useRef } from "../html.js";
import { locale, theme } from "../prefs.js";
import { clock, day, hourMinute, moment, number, unitText } from "../format.js";

/** @param {string} name */
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * @param {{points: [number, number|null][], unit: string, label: string, small?: boolean}} props  points: [ms, value]
 */
export function Chart({ points, unit, label, small = false }) {
  const place = useRef(/** @type {HTMLElement|null} */ (null));
  const caption = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const size = () => ({ width: Math.max(80, element.clientWidth), height: (small ? 5.5 : 18) * rem });
    const told = (/** @type {uPlot} */ plot) => {
      if (caption.current) caption.current.textContent = reading(plot, unit);
    };
    const chart = new uPlot({ ...options(size(), rem), hooks: { setCursor: [told], ready: [told] } }, columns(points), element);
    const observer = new ResizeObserver(() => chart.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [points, unit, label, small, theme.value, locale.value]);
  return html`<div><div class=${`chart ${small ? "small" : ""}`} ref=${place} role="img" aria-label=${summary(points, unit, label)}></div>
    <p class="chart-caption" ref=${caption}></p></div>`;
}

/** @param {[number, number|null][]} points @returns {uPlot.AlignedData} */
const columns = (points) => [points.map(([at]) => at / 1000), points.map(([, value]) => value)];

/** The value under the pointer, or the newest, with its time. @param {uPlot} plot @param {string} unit */
function reading(plot, unit) {
  const [times, values] = plot.data;
  const index = plot.cursor.idx ?? times.length - 1;
  const value = values[index];
  return `${moment(times[index] * 1000)}  ·  ${value == null ? "–" : `${number(value)} ${unitText(unit)}`}`;
}

/** What a screen reader says instead of the picture. @param {[number, number|null][]} points @param {string} unit @param {string} label */
function summary(points, unit, label) {
  const values = /** @type {number[]} */ (points.map(([, value]) => value).filter((value) => value !== null));
  if (!values.length) return label;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${label}: ${number(low)} – ${number(high)} ${unitText(unit)}`;
}

/**
 * @param {{width: number, height: number}} size
 * @param {number} rem
 * @returns {uPlot.Options}
 */
function options(size, rem) {
  const font = `${0.8 * rem}px ${token("--font")}`;
  const axis = { stroke: token("--muted"), font, grid: { stroke: token("--line"), width: 1 }, ticks: { show: false } };
  return {
    ...size,
    padding: [0.5 * rem, 1.5 * rem, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    axes: [
      { ...axis, size: 1.9 * rem, space: 5 * rem, values: (_, ticks, __, ___, step) => ticks.map((at) => (step < 60 ? clock(at * 1000) : step < 86_400 ? hourMinute(at * 1000) : day(at * 1000).slice(5))) },
      { ...axis, size: 3.6 * rem, space: 2.2 * rem, values: (_, ticks) => ticks.map((tick) => number(tick)) },
    ],
    series: [
      {},
      {
        stroke: token("--trace"),
        width: 1.5,
        spanGaps: false,
        points: { show: false },
      },
    ],
  };
}
