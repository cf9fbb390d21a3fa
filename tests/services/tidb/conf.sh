# Settings of the TiDB scripts; source after lib.sh.
SVC=tidb
PORT="${TIDB_PORT:-14001}"
STATUS_PORT="${TIDB_STATUS_PORT:-$((PORT + 10000))}"
use_dir "${TIDB_DIR:-$SERVICES_HOME/tidb}"
# TiDB's release tags are not Go module versions (its module path has no /v8), so this is a commit's pseudo-version,
# from the 8.5 branch of November 2024.
TIDB_VERSION="${TIDB_VERSION:-v1.1.0-beta.0.20241125141335-ec8b81b98edc}"
TIDB_RELEASE="${TIDB_RELEASE:-v8.5.0-alpha}"            # the version that the server reports; clients parse it
TIDB_BIN="${TIDB_BIN:-$SERVICES_HOME/cache/tidb-server-${TIDB_VERSION##*-}}"
TIDB_USER="${TIDB_USER:-app}"; TIDB_PASSWORD="${TIDB_PASSWORD:-app}"
