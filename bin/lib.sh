# What bin/demo and bin/test share: an interpreter, the virtual environment, what stands in it.
# POSIX sh, sourced from the top of the repository. Nothing here knows about Django.

APT_PYTHON='apt-get install -y python3 python3-venv'
VENV=.venv
VENV_PYTHON=$VENV/bin/python
# Each of the some hundred processes of a test run would compile everything that it imports.
unset PYTHONDONTWRITEBYTECODE

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

is_root() {
    [ "$(id -u)" -eq 0 ]
}

# Runs a command as a child that ends with us: the shell alone would wait for it, or leave it behind.
run() {
    trap 'kill "$child" 2>/dev/null; wait "$child"; exit 130' INT
    trap 'kill "$child" 2>/dev/null; wait "$child"; exit 143' TERM
    "$@" &
    child=$!
    wait "$child" && status=0 || status=$?
    trap - INT TERM
    return "$status"
}

# An interpreter counts when it runs (a pyenv shim may refuse), is new enough, can make a virtual
# environment with pip in it (Debian keeps ensurepip in python3-venv), and can load the usual wheels.
is_usable_python() {
    "$1" -c '
import sys, sysconfig
assert sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED")
import ensurepip, venv
' >/dev/null 2>&1
}

# Every candidate, the newest version first, and whatever python3 is at the end.
python_candidates() {
    for version in 3.14 3.13 3.12; do
        echo "python$version"
        for root in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv"; do
            [ -d "$root/versions" ] || continue
            for candidate in "$root/versions"/*/bin/"python$version"; do
                [ -x "$candidate" ] && printf '%s\n' "$candidate"
            done
        done
    done
    echo python3
}

# Prints the first candidate that is usable; fails when there is none.
find_python() {
    python_candidates | while IFS= read -r candidate; do
        if is_usable_python "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done | grep .
}

# apt-get with a second try: a fresh machine has no package lists yet.
apt_install() {
    run env DEBIAN_FRONTEND=noninteractive apt-get install -y "$@" >&2 || {
        run apt-get update >&2
        run env DEBIAN_FRONTEND=noninteractive apt-get install -y "$@" >&2
    }
}

# Sets PYTHON, installing the interpreter when that is ours to do.
ensure_python() {
    if is_usable_python "$VENV_PYTHON"; then
        PYTHON=$VENV_PYTHON
        return
    fi
    PYTHON=$(find_python) && return
    is_root && command -v apt-get >/dev/null || die "$APT_PYTHON"
    apt_install python3 python3-venv || die "could not install Python: $APT_PYTHON failed"
    PYTHON=$(find_python) ||
        die "Python 3.12 or newer is needed; this system's own is older (pyenv install 3.13 gives one)"
}

# A virtual environment whose interpreter is gone or too old is made again.
ensure_venv() {
    [ "$PYTHON" = "$VENV_PYTHON" ] && return
    rm -rf "$VENV"
    run "$PYTHON" -m venv "$VENV" || die "could not make the virtual environment in $VENV"
}

# Installs the pins of each file unless they are what was installed last. Byte code is left to the
# first import: most of what a wheel carries is never imported.
install_requirements() {
    for file in "$@"; do
        cmp -s "$file" "$VENV/installed-$file" && continue
        say "Installing $file ..."
        run "$VENV_PYTHON" -m pip install --quiet --disable-pip-version-check \
            --no-compile --require-hashes -r "$file" >&2 || die "could not install $file"
        cp "$file" "$VENV/installed-$file"
    done
}
