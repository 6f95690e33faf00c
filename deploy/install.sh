#!/bin/sh
# Install what Mailhost runs on, on Debian 12: Debian's packages without starting
# their system services, and a virtual environment in .venv from uv.lock.
# Safe to run again; does nothing when everything is there.
#
#   deploy/install.sh            all of it, as the demo and the tests need it
#   deploy/install.sh server     what a mail host needs: no browser, no name server, no tools of the tests
#   deploy/install.sh packages   Debian's packages only
#   deploy/install.sh venv       the virtual environment and the compiled catalogues of languages only
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.8
SERVER="mariadb-server mariadb-client redis-server
  postfix postfix-mysql postfix-lmdb
  dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-mysql dovecot-sieve dovecot-managesieved
  opendkim opendkim-tools openssl ca-certificates gettext"
# mysqlclient has no wheel for Linux, so it is compiled against MariaDB's client library.
BUILD="gcc libc6-dev pkg-config libmariadb-dev python3-dev python3-venv"
# The demo's own DNS, the browser that the tests of the pages drive, and fonts for its screenshots.
DEMO="bind9 bind9-utils chromium fonts-dejavu-core"

# Two of these at once wait for each other: apt and the virtual environment bear one writer only.
if [ -z "${INSTALL_LOCKED:-}" ]; then
  mkdir -p var
  INSTALL_LOCKED=1 exec flock var/install.lock deploy/install.sh "$@"
fi

say() { printf '%s\n' "install: $*"; }

missing_packages() {
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || printf '%s ' "$package"
  done
}

install_packages() {
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || { say "these packages are missing and only root may install them: $missing"; exit 1; }
  say "Debian packages: $missing"
  # invoke-rc.d asks this file before it starts a service; 101 means "not allowed".
  policy=/usr/sbin/policy-rc.d
  kept=
  if [ -e "$policy" ]; then kept=$(mktemp "$policy.XXXXXX"); mv "$policy" "$kept"; fi
  restore() { if [ -n "$kept" ]; then mv "$kept" "$policy"; else rm -f "$policy"; fi; }
  trap restore EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  # Without this answer postfix's package would write a main.cf for this machine.
  echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
  restore
  trap - EXIT INT TERM
}

install_venv() {
  stamp=.venv/.installed-from
  wanted="$(sha256sum uv.lock | cut -d' ' -f1)${1:+ $1}"
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  say "virtual environment in .venv"
  python=${PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "$python is older than Python 3.11"; exit 1; }
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  [ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
  UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never .venv/bin/uv sync --quiet --frozen --extra providers ${1:+"$1"} --python .venv/bin/python
  printf '%s\n' "$wanted" >"$stamp"
}

# Catalogues are compiled where they are used, and only what changed since.
compile_messages() {
  for source in locale/*/LC_MESSAGES/*.po; do
    [ -e "$source" ] || continue
    compiled=${source%.po}.mo
    [ "$compiled" -nt "$source" ] || msgfmt --check --output-file="$compiled" "$source"
  done
}

# shellcheck disable=SC2086
case ${1:-all} in
  packages) install_packages $SERVER $BUILD $DEMO ;;
  venv) install_venv; compile_messages ;;
  server) install_packages $SERVER $BUILD; install_venv --no-dev; compile_messages ;;
  all) install_packages $SERVER $BUILD $DEMO; install_venv; compile_messages ;;
  *) say "unknown part: $1 (server, packages, venv)"; exit 2 ;;
esac
