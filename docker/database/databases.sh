#!/bin/sh
# The database's image runs this when its data folder is new. Creates a database for every context and, for
# compose.split.yaml, a user per context who can access only that context's database.
set -eu
client=$(command -v mariadb || command -v mysql)
for context in auth users posts comments reactions notifications search metrics moderation; do
  cat <<SQL
CREATE DATABASE IF NOT EXISTS socialapp_$context CHARACTER SET utf8mb4;
GRANT ALL ON socialapp_$context.* TO 'socialapp'@'%';
CREATE USER IF NOT EXISTS '$context'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON socialapp_$context.* TO '$context'@'%';
SQL
done | "$client" --user=root --password="$MYSQL_ROOT_PASSWORD"
