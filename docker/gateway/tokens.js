// Says of the Authorization header what can be said without a key: none, malformed, expired, or plausible.
// Whoever forges a signature gets past this and is refused by the application. See docs/adr/0010-gateway-tokens.md.

const BEARER = /^bearer +([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/i;
const LONGEST = 4096;
const CLOCK_SKEW_SECONDS = 5; // in doubt the application decides

function state(r) {
    const header = r.headersIn.Authorization;
    if (!header) {
        return "none";
    }
    const parts = header.length <= LONGEST + 7 ? BEARER.exec(header) : null;
    if (!parts) {
        return "malformed";
    }
    try {
        const claims = JSON.parse(Buffer.from(parts[2], "base64url").toString());
        if (typeof claims.exp !== "number") {
            return "malformed";
        }
        return claims.exp + CLOCK_SKEW_SECONDS < Date.now() / 1000 ? "expired" : "plausible";
    } catch (error) {
        return "malformed";
    }
}

export default { state };
