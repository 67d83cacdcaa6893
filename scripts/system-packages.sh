#!/bin/sh
# Install the programs that tests and benchmarks start and that no Python or npm package brings.
#
# As root on Debian or Ubuntu they come through apt-get. Elsewhere this says what is missing and succeeds all
# the same: a test whose program is missing is skipped with a reason, and fails when CI=true.
set -eu

# program:package
WANTED="apache2:apache2 caddy:caddy chromium:chromium curl:curl git:git haproxy:haproxy nginx:nginx-light node:nodejs npm:npm rclone:rclone s3cmd:s3cmd wrk:wrk"

missing_programs() {
    for pair in $WANTED; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s\n' "$pair"
    done
}

missing=$(missing_programs)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    packages=$(printf '%s\n' "$missing" | sed 's/.*://')
    # shellcheck disable=SC2086 # one word per package
    echo "Installing with apt-get:" $packages
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } >/dev/null ||
        echo "apt-get failed; its message stands above." >&2
    missing=$(missing_programs)
fi

for pair in $missing; do
    echo "Missing: ${pair%%:*} (Debian package ${pair##*:}). Tests and benchmarks that start it say so." >&2
done
