// Passkeys: what the browser's WebAuthn calls need and give, as JSON.
import { post } from "./client.js";
import { enterBy } from "./session.js";

/** Whether the browser has passkeys for this site: they belong to a domain, so a bare IP address has none. */
export const supported = () =>
  "PublicKeyCredential" in globalThis && !!PublicKeyCredential.parseCreationOptionsFromJSON && !/^[\d.]+$|:/.test(location.hostname);

const publicKeyOf = (options) => options.publicKey || options.options?.publicKey || options.options || options;

/** Makes a passkey for the person signed in. @param {string} name */
export async function create(name) {
  const options = await post("/auth/passkeys/options");
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(publicKeyOf(options));
  const credential = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({ publicKey }));
  return post("/auth/passkeys", { name, credential: credential.toJSON(), ...stateOf(options) });
}

/**
 * Signs in by passkey. `conditional`: offered in the user name's field instead of a dialog.
 * @param {{conditional?: boolean, signal?: AbortSignal}} [options]
 */
export async function login({ conditional = false, signal } = {}) {
  const options = await post("/auth/login/passkey/options", {}, { anonymous: true });
  const credential = await ask(options, { conditional, signal });
  await enterBy("/auth/login/passkey", { credential, ...stateOf(options) });
}

/** An assertion for `POST /auth/confirm`. */
export async function assertion() {
  const options = await post("/auth/login/passkey/options", {}, { anonymous: true });
  return { credential: await ask(options, {}), ...stateOf(options) };
}

/** Whether the browser can offer passkeys in a field. */
export async function canBeConditional() {
  return supported() && !!(await PublicKeyCredential.isConditionalMediationAvailable?.());
}

/** @param {any} options @param {{conditional?: boolean, signal?: AbortSignal}} how */
async function ask(options, { conditional, signal }) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(publicKeyOf(options));
  const mediation = conditional ? "conditional" : "optional";
  const given = await navigator.credentials.get({ publicKey, signal, mediation });
  return /** @type {PublicKeyCredential} */ (given).toJSON();
}

const stateOf = (options) => (options.state ? { state: options.state } : {});
