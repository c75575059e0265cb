"""What every test needs: no screen, no threads of the linear algebra competing for two cores, no folder of the user."""

import gc
import os
import signal
from functools import cache

import platformdirs
import pytest
from hypothesis import settings
from typer.main import get_command

from tests import scheduling
from tests.recorded_files import RECORDED
from tests.served import one_guardian, served  # noqa: F401 - fixtures

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLCONFIGDIR", platformdirs.user_cache_dir("matplotlib"))  # its list of fonts takes long to make
# A busy machine is no fault of the code. At a desk every run tries other examples; CI tries the same ones each time,
# so that a change is judged by what it changed. What a desk finds is pinned with @example.
# `make test-all` tries as many as Hypothesis likes.
settings.register_profile("stmlab", deadline=None)
settings.register_profile("stmlab-ci", deadline=None, derandomize=True)
settings.load_profile("stmlab-ci" if os.environ.get("CI") else "stmlab")
FEWER_EXAMPLES = 40


def pytest_configure(config):
    """Fewer examples where slow tests are left out; the order of the tests."""
    config.pluginmanager.register(scheduling)
    if config.getoption("markexpr") == "not slow":
        settings.register_profile("stmlab-quick", settings(), max_examples=FEWER_EXAMPLES)
        settings.load_profile("stmlab-quick")


@pytest.fixture(autouse=True, scope="session")
def _own_directories(tmp_path_factory):
    """The user's stations and samples stay out of the tests; what the tests keep stays out of the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(autouse=True, scope="session")
def _commands_are_built_once():
    """Not anew for each command that a test types."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_is_heard():
    """Where a shell starts the tests in its background it ignores Ctrl-C, and so would what the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Nothing that is imported and collected is garbage; it need not be looked for there, nor afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_terminal_summary(terminalreporter):
    """A green run without the recorded files says that it has not read them."""
    if not RECORDED.is_dir():
        terminalreporter.write_line(
            f"NOT TESTED: the files that instruments recorded ({RECORDED} is missing)", red=True
        )
