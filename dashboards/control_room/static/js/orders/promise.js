/** What an order has promised: to respond by then, to be resolved by then. */
import { age } from "../format.js";

/** The promise that counts now: to respond, then to resolve. @param {import("../types.js").WorkOrder} order */
export function promise(order) {
  if (["done", "verified", "closed"].includes(order.state) || order.pause) return null;
  const responding = !order.responded_at && order.respond_by;
  const by = responding ? order.respond_by : order.resolve_by;
  return by ? { by, word: responding ? "orders.respond" : "orders.resolve", late: age(by) > 0 } : null;
}
