// The admin site's log-in with a passkey: asks the browser for one and sends its answer with the form.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const row = document.getElementById("passkey-row");
  // Passkeys belong to a domain, so a bare IP address has none.
  const isSupported = "PublicKeyCredential" in window && !!PublicKeyCredential.parseRequestOptionsFromJSON;
  if (!row || !isSupported || /^[\d.]+$|:/.test(location.hostname)) {
    return;
  }
  row.hidden = false;
  const button = document.getElementById("passkey-button");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await logIn(row.dataset.options);
    } catch (error) {
      refuse(error.name === "NotAllowedError" ? "No passkey was used. Try again, or log in with your password." : error.message);
      button.disabled = false;
    }
  });
});

async function logIn(address) {
  const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
  const body = await answer.json();
  if (!answer.ok) {
    throw new Error(body.detail || "Passkeys cannot be used right now.");
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(body.publicKey);
  const credential = await navigator.credentials.get({ publicKey });
  const form = document.getElementById("login-form");
  form.elements.passkey.value = JSON.stringify(credential.toJSON());
  form.submit(); // past the check that name and password are filled in
}

function refuse(detail) {
  const note = document.getElementById("passkey-refused");
  note.textContent = detail;
  note.hidden = false;
}
