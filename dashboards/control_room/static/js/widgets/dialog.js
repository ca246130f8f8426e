/** A modal dialog on the browser's own <dialog>: focus stays inside, Escape closes, focus returns where it was. */
import { html, useEffect, useRef } from "../html.js";
import { t } from "../i18n.js";
import { Icon } from "./icon.js";

/**
 * @param {{title: string, onClose: () => void, children?: any, wide?: boolean, required?: boolean}} props
 *   `required` leaves out the ways to close it other than its own buttons
 */
export function Dialog({ title, onClose, children, wide = false, required = false }) {
  const element = useRef(/** @type {HTMLDialogElement|null} */ (null));
  useEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  const cancel = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!required) onClose();
  };
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-label=${title} onCancel=${cancel}>
    <header><h2>${title}</h2>
      ${!required && html`<button type="button" class="icon-button" aria-label=${t("close")} onClick=${onClose}><${Icon} name="close" /></button>`}
    </header>
    <div class="dialog-body">${children}</div>
  </dialog>`;
}
