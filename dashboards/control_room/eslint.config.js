// Lint of the control-room page. Type errors are the compiler's business (`npm run types`).
const browser = Object.fromEntries(
  [
    "window", "document", "location", "history", "navigator", "localStorage", "sessionStorage", "fetch", "performance",
    "EventSource", "AudioContext", "ResizeObserver", "BroadcastChannel", "matchMedia", "requestAnimationFrame",
    "cancelAnimationFrame", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "console", "crypto", "URL",
    "URLSearchParams", "Headers", "Response", "AbortController", "CSS", "Event", "KeyboardEvent", "HTMLElement",
    "HTMLInputElement", "HTMLDialogElement", "FormData", "getComputedStyle", "queueMicrotask", "Intl", "addEventListener",
    "removeEventListener", "atob", "TextDecoder",
  ].map((name) => [name, "readonly"]),
);

export default [
  { ignores: ["static/vendor/**", "node_modules/**"] },
  {
    files: ["static/js/**/*.js", "scripts/**/*.mjs"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: { ...browser, process: "readonly" } },
    rules: {
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-script-url": "error",
      "no-shadow": "error",
      "no-duplicate-imports": "error",
      "no-self-compare": "error",
      "no-unreachable": "error",
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 80, skipComments: true, skipBlankLines: true }],
      complexity: ["error", 20],
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "device text is never markup" },
        { property: "outerHTML", message: "device text is never markup" },
        { property: "insertAdjacentHTML", message: "device text is never markup" },
        { property: "dangerouslySetInnerHTML", message: "device text is never markup" },
      ],
    },
  },
];
