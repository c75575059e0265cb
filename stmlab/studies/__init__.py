"""Studies: a sequence on the simulated microscope over parameters and seeds, held against the sample's own truth.

study = read_study(path)                  # form: what is varied, measured and held against what
results = carry_out(study, log)           # tasks: one run each; results: a line each, as it ends
report = Report.of(study, results)        # report: bias, pulls, coverage, time to target
"""

from __future__ import annotations

from stmlab.studies.form import Study, read_study
from stmlab.studies.report import Report
from stmlab.studies.results import Results
from stmlab.studies.study import carry_out, check

__all__ = ["Report", "Results", "Study", "carry_out", "check", "read_study"]
