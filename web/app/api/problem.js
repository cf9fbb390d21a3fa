// An error that the server answered with (RFC 9457), or that kept a request from being answered at all.

export class Problem extends Error {
  constructor(status, body = {}, retryAfter = 0) {
    super(body.detail || body.title || "request failed");
    this.status = status;
    this.code = body.code || (status ? `http_${status}` : "offline");
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.methods = body.methods || [];
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get temporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** The first message about a field, or "". */
  of(field) {
    return this.errors.find((error) => error.field === field)?.detail || "";
  }
}

/** For the `catch` of who asks again and again: null where the same request may succeed later. @returns {null} */
export function ifTemporary(problem) {
  if (!problem.temporary) throw problem;
  return null;
}
