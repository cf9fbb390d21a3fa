# Sourced by all start and stop scripts in this folder. Needs Bash, and curl for HTTP probes only.
# SERVICES_HOME: the folder of data, logs and pid files (one subfolder per service), outside of the repository.
# Servers started by root switch to users that cannot access root's home, so root's default is in /var/cache.
set -euo pipefail
default_home="${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/socialapp-services"
[ "$(id -u)" != 0 ] || default_home=/var/cache/socialapp-services
SERVICES_HOME="${SERVICES_HOME:-$default_home}"

case "$SERVICES_HOME" in /*) ;; *) SERVICES_HOME="$PWD/$SERVICES_HOME" ;; esac

say()  { printf '%s: %s\n' "${SVC:-service}" "$*" >&2; }
die()  { say "error: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# need_apt PKG...: installs missing Debian packages (root only) without starting their daemons.
need_apt() {
  local p missing=()
  for p in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  [ "$(id -u)" = 0 ] || die "missing packages (${missing[*]}) and not root: install them with apt-get first"
  say "installing ${missing[*]}"
  local log; log="$(mktemp)"
  if ! { DEBIAN_FRONTEND=noninteractive apt-get -q update &&
         RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
           -o DPkg::Lock::Timeout=600 "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2; die "apt-get install ${missing[*]} failed (log: $log)"
  fi
  rm -f "$log"
}

# use_dir DIR: sets DIR, PIDFILE and LOG to absolute paths; rejects white space, which some servers cannot handle.
use_dir() {
  DIR="$1"; case "$DIR" in /*) ;; *) DIR="$PWD/$DIR" ;; esac
  case "$DIR" in *[[:space:]]*) die "the path of the data folder must not contain white space: $DIR" ;; esac
  PIDFILE="$DIR/pid"; LOG="$DIR/server.log"
}

# port_open PORT: something accepts TCP connections on loopback.
port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
need_free_port() { ! port_open "$1" || die "port $1 on loopback is used by another process"; }

# A pid file contains "PID STARTTIME"; the start time detects a reused pid.
_starttime() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
save_pid() { local st; st="$(_starttime "$2")"; [ -n "$st" ] || return 1; echo "$2 $st" >"$1"; }
live_pid() { # prints the pid if the process still runs
  local pid st
  [ -s "$1" ] && read -r pid st <"$1" && [ -n "$st" ] || return 1
  [ "$(_starttime "$pid")" = "$st" ] && [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)" != Z ] && echo "$pid"
}

# launch PIDFILE LOG CMD...: starts CMD in its own session and saves its pid.
launch() {
  local pidfile="$1" log="$2"; shift 2
  # a background job is no group leader, so setsid execs CMD without forking, and $! is CMD's own pid
  setsid "$@" >>"$log" 2>&1 </dev/null &
  save_pid "$pidfile" $! || { cause "$log"; die "could not start (log: $log)"; }
}

# cause LOG: prints the log's error lines, then its last lines.
cause() { grep -iE 'error|fatal|denied|no space|cannot|exception' "$1" | tail -n 12 >&2 || true; echo ... >&2; tail -n 12 "$1" >&2; }

# wait_ready PIDFILE LOG SECONDS PROBE...: waits until PROBE succeeds; fails if the process dies or after SECONDS.
wait_ready() {
  local pidfile="$1" log="$2" secs="$3" t0=$SECONDS; shift 3
  until "$@" >/dev/null 2>&1; do
    live_pid "$pidfile" >/dev/null || { cause "$log"; rm -f "$pidfile"; die "exited while starting (log: $log)"; }
    [ $((SECONDS - t0)) -lt "$secs" ] || {
      cause "$log"; stop_pid "$pidfile" TERM 10; die "not ready after ${secs}s (log: $log)"; }
    sleep 0.2
  done
}

# stop_pid PIDFILE [SIGNAL] [SECONDS]: stops the process in the file, and no other; with KILL after SECONDS.
stop_pid() {
  local pidfile="$1" sig="${2:-TERM}" secs="${3:-30}" pid t0=$SECONDS
  pid="$(live_pid "$pidfile")" || { rm -f "$pidfile"; say "not running"; return 0; }
  kill -s "$sig" "$pid" 2>/dev/null || true
  while live_pid "$pidfile" >/dev/null; do
    if [ $((SECONDS - t0)) -ge "$secs" ]; then say "pid $pid ignores $sig, sending KILL"; kill -KILL "$pid" 2>/dev/null || true; sleep 0.5; break; fi
    sleep 0.1
  done
  rm -f "$pidfile"; say "stopped (pid $pid)"
}

# already_running PIDFILE: whether the process runs; start scripts exit then.
already_running() { local pid; pid="$(live_pid "$1")" && say "already running (pid $pid)"; }
