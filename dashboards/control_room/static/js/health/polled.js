/** Figures that no stream carries are asked for again and again. */
import { useEffect, useState } from "../html.js";
import { get } from "../api.js";

/**
 * What `path` answers, asked again every `seconds`; null until the first answer, `{forbidden: true}` where the role
 * does not reach.
 * @param {string} path
 * @param {number} seconds
 * @returns {[any, () => void]}
 */
export function usePolled(path, seconds) {
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [round, setRound] = useState(0);
  useEffect(() => {
    let current = true;
    const ask = () => get(path).then((body) => { if (current) setAnswer(body); }, (error) => {
      if (current) setAnswer((/** @type {any} */ old) => (error.status === 403 ? { forbidden: true } : (old ?? {})));
    });
    ask();
    const timer = setInterval(ask, seconds * 1000);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [path, round]);
  return [answer, () => setRound((old) => old + 1)];
}
