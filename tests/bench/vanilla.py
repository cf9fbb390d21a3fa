"""A page without libraries as the client's baseline: the same list of posts on the same network."""

import contextlib
import gzip
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explore</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/page.css"><script src="/page.js" defer></script></head>
<body><header><h1>Explore</h1></header><main></main></body></html>"""

_STYLES = """body { margin: 0; font: 1rem / 1.5 system-ui, sans-serif; }
h1 { margin: 0; padding: 1rem; font-size: 1.25rem; }
article { display: grid; grid-template-columns: 2.75rem 1fr; gap: 0 .75rem; padding: 1rem; }
.face { width: 2.75rem; height: 2.75rem; border-radius: 50%; background: #2456c7; grid-row: 1 / 4; }
p { margin: 0; } footer { display: flex; gap: 2rem; } button { border: 0; background: none; padding: .5rem; }
"""

_SCRIPT = """const add = (parent, tag, text, name) => {
  const made = parent.appendChild(document.createElement(tag));
  if (text) made.textContent = text;
  if (name) made.className = name;
  return made;
};
fetch("/v1/explore?sort=trending").then((answer) => answer.json()).then(({ results }) => {
  for (const post of results) {
    const article = add(document.querySelector("main"), "article");
    add(article, "span", "", "face");
    add(article, "strong", post.author.full_name);
    add(article, "p", post.content);
    const foot = add(article, "footer");
    for (const sign of ["reply", "repost", "like", "keep", "share"]) add(foot, "button", sign);
  }
});
"""


@contextlib.contextmanager
def vanilla(api: str) -> Iterator[str]:
    """Serves the page, and forwards API calls to the product at `api`; returns the page's URL."""
    files = {
        "/": ("text/html", _PAGE.encode()),
        "/page.css": ("text/css", _STYLES.encode()),
        "/page.js": ("text/javascript", _SCRIPT.encode()),
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.startswith("/v1/"):
                with urllib.request.urlopen(api + self.path) as answer:
                    kind, content = "application/json", answer.read()
            else:
                kind, content = files.get(self.path, ("text/plain", b""))
            body = gzip.compress(content)
            self.send_response(200)
            for name, value in (("Content-Type", kind), ("Content-Encoding", "gzip"), ("Content-Length", len(body))):
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Logs nothing: the bench prints a table."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
