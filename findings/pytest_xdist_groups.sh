#!/usr/bin/env bash
# pytest-xdist 3.8.0 with pytest 9.2.0: tests marked with xdist_group are shared out as if the mark were not there.
#
# Four tests of one group run with `-n 2 --dist loadgroup`, which promises one process for all of them; each notes its
# process. pytest-xdist appends the name of the group to the private `_nodeid` of a test, which pytest no longer reads
# (pytest-xdist issue 1386). Nothing warns: what a group was to share is made once in each process.
#
# Seen:       2 processes
# Expected:   1 process, as with pytest 9.1.1
# Way round:  --dist loadfile, or a scheduler of one's own by the hook pytest_xdist_make_scheduler
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > test_group.py <<'PY'
import os
from pathlib import Path
import pytest

@pytest.mark.xdist_group("one process")
@pytest.mark.parametrize("number", range(4))
def test_of_the_group(number):
    Path(f"process_{os.getpid()}").touch()
PY
processes() {  # of the group with pytest $1
  "${PYTHON:-python3}" -m venv "venv-$1"
  "venv-$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  rm -f process_*
  "venv-$1/bin/python" -m pytest -q -n 2 --dist loadgroup >/dev/null
  find . -maxdepth 1 -name 'process_*' | wc -l
}
before=$(processes 9.1.1)
now=$(processes 9.2.0)
echo "pytest-xdist 3.8.0: a group is run by $before process(es) with pytest 9.1.1, by $now with pytest 9.2.0"
[ "$before" = 1 ] && [ "$now" = 2 ] || { echo "CHANGED: groups stay together, or did not before"; exit 1; }
