# The commands that people who work on this need. `just` lists them; it comes with requirements-dev.txt (rust-just).

venv := env("VENV", ".venv-test")
python := venv / "bin/python"
export PATH := justfile_directory() / venv / "bin:" + env("PATH")

# List the commands.
help:
    @just --list --unsorted

# Start everything on this machine, with demo data.
run *args:
    ./run {{ args }}

# Make the test environment, install the git hooks.
setup:
    ./test --version >/dev/null
    pre-commit install

# Run tests: all of them, or those that are named (just test tests/posts -k feed).
test *args:
    ./test {{ args }}

# Everything but the slow tests (servers killed, replicas, split services).
quick:
    ./test --quick

# Branch coverage of the tests that run in process, with the floor of pyproject.toml. On SQLite; takes some minutes.
coverage *args="tests/architecture tests/auth tests/comments tests/kernel tests/metrics tests/moderation tests/notifications tests/posts tests/reactions tests/search tests/security tests/users":
    pytest -q --cov --cov-report=term {{ args }}

# Style, types, layers, migrations, words, docs.
check:
    ./test --static

# Format, and fix what can be fixed automatically.
fix:
    ruff check --fix --quiet .
    ruff format --quiet .

# Rewrite the generated schemas: docs/openapi.yaml, docs/asyncapi*.yaml, docs/schemas.
schemas:
    {{ python }} manage.py schemas

# Make migrations for a context (just migration posts).
migration label *args:
    {{ python }} manage.py makemigrations {{ label }} {{ args }}

# Rewrite the requirements files from pyproject.toml; versions stay unless pyproject asks for others (or: just lock --upgrade).
lock *args:
    docker/lock {{ args }}

# Build the documentation, strictly; or look at it while writing (just docs serve).
docs command="build --strict":
    NO_MKDOCS_2_WARNING=1 mkdocs {{ command }}

# Measure requests against a MariaDB and Redis of your own.
bench *args:
    {{ python }} -m tests.bench {{ args }}
