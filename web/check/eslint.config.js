// What ESLint looks for in the client's modules.
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["app/vendor/**"] },
  {
    files: ["app/**/*.js"],
    ...js.configs.recommended,
    languageOptions: { globals: { ...globals.browser, ...globals.serviceworker, trustedTypes: "readonly" } },
    rules: {
      ...js.configs.recommended.rules,
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
    },
  },
];
