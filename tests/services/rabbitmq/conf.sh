# Settings of the RabbitMQ scripts; source after lib.sh. Defines `rmq_env` (environment) and `ctl` (rabbitmqctl of this node).
SVC=rabbitmq
PORT="${RABBITMQ_PORT:-15673}"
use_dir "${RABBITMQ_DIR:-$SERVICES_HOME/rabbitmq}"
DIST_PORT="${RABBITMQ_DISTRIBUTION_PORT:-$((PORT + 1))}"
EPMD_PORT="${RABBITMQ_EPMD_PORT:-$((PORT + 2))}"
MGMT_PORT="${RABBITMQ_MANAGEMENT_PORT:-}"        # if set, the management HTTP API listens here
RMQ_USER="${RABBITMQ_USER:-app}"; RMQ_PASSWORD="${RABBITMQ_PASSWORD:-app}"; RMQ_VHOST="${RABBITMQ_VHOST:-/}"
EPMD_PIDFILE="$DIR/epmd.pid"
# the scripts themselves: the package's wrappers in /usr/sbin switch to the user rabbitmq
RMQ_BIN="${RABBITMQ_BIN:-/usr/lib/rabbitmq/bin}"
rmq_env=(env -u RABBITMQ_NODE_ONLY HOME="$DIR" ERL_EPMD_PORT="$EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1
  RABBITMQ_NODENAME="services$PORT@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$PORT"
  RABBITMQ_DIST_PORT="$DIST_PORT" RABBITMQ_MNESIA_BASE="$DIR/mnesia" RABBITMQ_LOG_BASE="$DIR/log"
  RABBITMQ_CONFIG_FILE="$DIR/rabbitmq" RABBITMQ_CONF_ENV_FILE="$DIR/none.conf" RABBITMQ_ADVANCED_CONFIG_FILE="$DIR/none.config"
  RABBITMQ_ENABLED_PLUGINS_FILE="$DIR/enabled_plugins" RABBITMQ_GENERATED_CONFIG_DIR="$DIR/generated"
  RABBITMQ_PID_FILE="$DIR/rabbit.pid" RABBITMQ_CTL_ERL_ARGS="-start_epmd false"
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} ${RABBITMQ_ERL_ARGS:-+S 2:2 +sbwt none}")
ctl() { "${rmq_env[@]}" "$RMQ_BIN/rabbitmqctl" -q "$@"; }
