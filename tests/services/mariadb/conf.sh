# Settings of the MariaDB scripts, for the primary or, with ROLE=replica, the replica.
MARIADB_PORT="${MARIADB_PORT:-13307}"
MARIADB_DIR="${MARIADB_DIR:-$SERVICES_HOME/mariadb}"
MARIADB_USER="${MARIADB_USER:-app}"             # may create databases and read the binlog
MARIADB_PASSWORD="${MARIADB_PASSWORD:-app}"
MARIADB_BUFFER_POOL="${MARIADB_BUFFER_POOL:-128M}"
if [ "${ROLE:-primary}" = replica ]; then
  SVC=mariadb-replica; use_dir "${MARIADB_REPLICA_DIR:-$SERVICES_HOME/mariadb-replica}"
  PORT="${MARIADB_REPLICA_PORT:-13308}"; SERVER_ID="${MARIADB_REPLICA_SERVER_ID:-2}"
else
  SVC=mariadb; use_dir "$MARIADB_DIR"; PORT="$MARIADB_PORT"; SERVER_ID=1
fi
SOCK="$DIR/s.sock"
# Little memory, disk and asynchronous I/O: up to six of these servers run at once.
SMALL=(--innodb-use-native-aio=0 --innodb-log-file-size=32M --innodb-log-buffer-size=4M --aria-pagecache-buffer-size=8M
  --key-buffer-size=1M --innodb-buffer-pool-size="$MARIADB_BUFFER_POOL")
root_sql() { mariadb --no-defaults --protocol=socket --socket="$SOCK" -u root --default-character-set=utf8mb4 "$@"; }
ready() { mariadb-admin --no-defaults --socket="$SOCK" -u root ping; }
