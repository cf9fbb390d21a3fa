# Settings of the S3 scripts; source after lib.sh.
SVC=s3
PORT="${S3_PORT:-9302}"
use_dir "${S3_DIR:-$SERVICES_HOME/s3}"
S3_ACCESS_KEY="${S3_ACCESS_KEY:-testkey}"; S3_SECRET_KEY="${S3_SECRET_KEY:-testsecret}"; S3_REGION="${S3_REGION:-us-east-1}"
S3_FLAVOR="${S3_FLAVOR:-nanio}" # or versitygw, which also verifies checksums but takes minutes to build
case "$S3_FLAVOR" in nanio|versitygw) ;; *) die "S3_FLAVOR is nanio or versitygw" ;; esac
VERSITYGW_VERSION=v1.8.0
S3_BIN="${S3_BIN:-$SERVICES_HOME/cache/versitygw-$VERSITYGW_VERSION}"
