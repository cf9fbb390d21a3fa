// Headers of the gateway's own errors. nginx would keep the application's Cache-Control, that of a file, if it is missing.

function headers(r) {
    r.headersOut["Cache-Control"] = "no-store";
}

export default { headers };
