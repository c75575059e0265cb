"""CPU seconds of ``stmlab demo --all``, and its rows, in the build that this runs in: SEED."""

import json
import resource
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "stmlab", "demo", "--all", "--json", "--seed", sys.argv[1], "--directory", folder]
    rows = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"seconds": used.ru_utime + used.ru_stime, "rows": rows}))
