// Checks the Authorization header as far as possible without a key: none, malformed, expired, or plausible.
// A forged signature passes here and is rejected by the application. See docs/adr/0007-gateway-tokens.md.

const BEARER = /^bearer +([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/i;
const ALGORITHM = "RS256"; // as in socialapp/http/tokens.py: "none", and HMAC with the public key, are known attacks
const LONGEST = 4096;
const CLOCK_SKEW_SECONDS = 5; // borderline tokens are left to the application

function decoded(part) {
    return JSON.parse(Buffer.from(part, "base64url").toString());
}

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
        const claims = decoded(parts[2]);
        const now = Date.now() / 1000;
        if (decoded(parts[1]).alg !== ALGORITHM || typeof claims.exp !== "number" || claims.nbf > now + CLOCK_SKEW_SECONDS) {
            return "malformed";
        }
        return claims.exp + CLOCK_SKEW_SECONDS < now ? "expired" : "plausible";
    } catch (error) {
        return "malformed";
    }
}

export default { state };
