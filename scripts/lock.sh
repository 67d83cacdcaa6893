#!/bin/sh
# Write requirements/{build,runtime,dev,bench}.txt from pyproject.toml. Called by `make lock`.
#
# An argument such as --upgrade goes to pip-compile; without it, pins that still fit stay. The files name
# versions and hashes only: no registry, so that each machine uses the one it is set up with.
set -eu
cd "$(dirname "$0")/.."

export CUSTOM_COMPILE_COMMAND="make lock"

compile() {
    output=$1
    shift
    "${BIN:-.venv/bin}/pip-compile" --quiet --generate-hashes --allow-unsafe --strip-extras \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
        --output-file "requirements/$output" "$@" pyproject.toml
}

compile build.txt --only-build-deps --all-build-deps "$@"
compile runtime.txt "$@"
compile dev.txt --extra test --extra bench --extra dev --all-build-deps \
    --constraint requirements/build.txt --constraint requirements/runtime.txt "$@"
# In the same environment as the tools: the peers take the versions that are there.
compile bench.txt --extra peers --constraint requirements/dev.txt "$@"
