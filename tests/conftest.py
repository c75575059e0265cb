"""What every test needs: no screen, no threads of the linear algebra competing for two cores, no hurry."""

import os

from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("stmlab", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("stmlab")
