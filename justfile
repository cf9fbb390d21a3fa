# Commands for developers. `just` lists them; requirements-dev.txt installs it (rust-just).

venv := env("VENV", ".venv-test")
python := venv / "bin/python"
export PATH := justfile_directory() / venv / "bin:" + env("PATH")

# List the commands.
help:
    @just --list --unsorted

# Start everything on this machine, with demo data.
run *args:
    ./run {{ args }}

# Install the git hooks.
setup:
    pre-commit install

# Run all tests, or the given ones (just test tests/posts -k feed).
test *args:
    ./test {{ args }}

# Run everything but the slow tests (killed servers, replicas, split services).
quick:
    ./test --quick

# Measure the branch coverage of in-process tests against the floor in pyproject.toml. On SQLite; takes some minutes.
coverage *args="tests/architecture tests/auth tests/comments tests/kernel tests/metrics tests/moderation tests/notifications tests/posts tests/reactions tests/search tests/security tests/users":
    pytest -q --cov --cov-report=term {{ args }}

# Check style, types, layers, migrations, wording and docs.
check:
    ./test --static

# Format the code, and fix what ruff can fix.
fix:
    ruff check --fix --quiet .
    ruff format --quiet .

# Rewrite the generated schemas: docs/openapi.yaml, docs/asyncapi*.yaml, docs/schemas.
schemas:
    {{ python }} manage.py schemas

# Create migrations for a context (just migration posts).
migration label *args:
    {{ python }} manage.py makemigrations {{ label }} {{ args }}

# Rewrite the requirements files from pyproject.toml; versions that still satisfy it stay (or: just lock --upgrade).
lock *args:
    docker/lock {{ args }}

# Build the documentation, failing on warnings; or preview it while writing (just docs serve).
docs command="build --strict":
    NO_MKDOCS_2_WARNING=1 mkdocs {{ command }}

# Measure request times on your own MariaDB and Redis.
bench *args:
    {{ python }} -m tests.bench {{ args }}
