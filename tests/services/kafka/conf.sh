# Settings of the Kafka scripts; source after lib.sh.
SVC=kafka
PORT="${KAFKA_PORT:-19092}"
CONTROLLER_PORT="${KAFKA_CONTROLLER_PORT:-$((PORT + 1))}"
use_dir "${KAFKA_DIR:-$SERVICES_HOME/kafka}"
LIBS="${KAFKA_CACHE:-$SERVICES_HOME/kafka-cache}/$(sha256sum <"$here/pom.xml" | cut -c1-12)" # one folder per version of pom.xml
CONF="$DIR/server.properties"
java_opts=(-Xms128m -Xmx"${KAFKA_HEAP:-384m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true
  -Dorg.slf4j.simpleLogger.defaultLogLevel="${KAFKA_LOG_LEVEL:-warn}"
  -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info -Dorg.slf4j.simpleLogger.showDateTime=true)
