#!/bin/sh
# Run by the database's image when its folder is new: a database for every context. For compose.split.yaml each has a
# user of its own too, who sees nothing of the others.
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
