/** A visitor's QR code: to look at, to send, and to make void. */
import { html, useState } from "../html.js";
import { post } from "../api.js";
import { day, hourMinute } from "../format.js";
import { t } from "../i18n.js";
import { passes } from "../live/store.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";

/** @param {{pass: import("../types.js").Pass, onClose: () => void}} props */
export function Code({ pass, onClose }) {
  const [issue, setIssue] = useState(pass.issue ?? 1);
  const path = `/passes/${encodeURIComponent(pass.id)}`;
  const picture = (/** @type {string} */ format) => `./api/v1${path}/qr?format=${format}`;
  const renew = () => attempt(async () => {
    const fresh = await post(`${path}/renew`);
    passes.put(fresh);
    setIssue(fresh.issue ?? issue + 1);
  }, t("passes.renewed"));
  return html`<${Dialog} title=${t("passes.code")} onClose=${onClose}>
    <p class="about">${pass.name}${pass.until_at && html` <span class="muted">${t("passes.until")} ${day(pass.until_at)} ${hourMinute(pass.until_at)}</span>`}</p>
    <img class="code" key=${issue} src=${`${picture("svg")}&issue=${issue}`} alt=${t("passes.code_alt")} width="280" height="280" />
    <p class="hint">${t("passes.code_hint")}</p>
    <div class="dialog-actions"><button type="button" onClick=${renew}>${t("passes.renew")}</button>
      <a class="button" href=${picture("svg")} download=${`visitor-${pass.id}.svg`}>SVG</a><a class="button" href=${picture("png")} download=${`visitor-${pass.id}.png`}>${t("passes.download")}</a></div></${Dialog}>`;
}
