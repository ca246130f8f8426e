/** A field's past, fetched and drawn, and refreshed while the device keeps talking. */
import { html, useEffect, useState } from "../html.js";
import { get } from "../api.js";
import { fieldTitle } from "../catalogue.js";
import { ms } from "../format.js";
import { t } from "../i18n.js";
import { peekNow } from "../live/clock.js";
import { Chart } from "../widgets/chart.js";

const REFRESH_MS = 30_000;

/**
 * @param {{device: string, kind: string, field: string, hours: number, unit: string, small?: boolean}} props
 */
export function History({ device, kind, field, hours, unit, small = false }) {
  const [points, setPoints] = useState(/** @type {[number, number|null][]|null} */ (null));
  useEffect(() => {
    let current = true;
    const load = async () => {
      const to = peekNow();
      const query = new URLSearchParams({
        device, field, kind, points: small ? "120" : "600",
        from: new Date(to - hours * 3_600_000).toISOString(), to: new Date(to).toISOString(),
      });
      const answer = await get(`/history?${query}`).catch(() => ({ points: [] }));
      if (current) setPoints((answer.points ?? []).map((/** @type {any[]} */ [at, value]) => [ms(at), value]));
    };
    setPoints(null);
    const first = setTimeout(load, 120);
    const timer = setInterval(load, REFRESH_MS);
    return () => {
      current = false;
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [device, kind, field, hours]);
  if (!points) return html`<div class=${`chart-empty ${small ? "small" : ""}`}>${t("loading")}</div>`;
  if (!points.some(([, value]) => value !== null)) return html`<div class=${`chart-empty ${small ? "small" : ""}`}>${t("history.empty")}</div>`;
  return html`<${Chart} points=${points} unit=${unit} label=${fieldTitle(kind, field)} small=${small} />`;
}
