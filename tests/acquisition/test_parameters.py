"""pymeasure's Parameters, imported lightly, and numbers with units."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import SequenceError
from stmlab.units import in_unit
from tests.approximately import close
from tests.benchmarks.imports import HEADLESS


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("4 mV", "V", 4e-3), ("4mV", "V", 4e-3), ("0.004", "V", 4e-3), ("20 GHz", "Hz", 20e9), ("1.5", "", 1.5)],
)
def test_a_number_with_a_unit_is_converted(text, unit, value):
    assert in_unit(text, unit) == close(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"), [("4 m", "V"), ("four", "V"), ("4 mV mV", "V"), ("4 V", ""), ("__import__('os')", "V")]
)
def test_what_is_no_such_quantity_is_refused_in_one_line(text, unit):
    with pytest.raises(SequenceError) as refusal:
        in_unit(text, unit)
    assert "\n" not in str(refusal.value)
    assert repr(text) in str(refusal.value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_bare_number_reads_back(value):
    assert in_unit(repr(value), "V") == value


NOT_AT_THE_START = (
    "pandas pint scipy lmfit mpmath xarray netCDF4 qutip matplotlib PyQt6 pyqtgraph skrf pydantic rich "
    "unittest.mock asyncio ssl multiprocessing sqlite3 http.client logging.handlers "
    "stmlab.analysis stmlab.physics stmlab.simulation stmlab.display stmlab.cli stmlab.gui stmlab.papers "
    "stmlab.station.wire"
)
"""What a run imports when it reads its station or fits, or never: this keeps its start below 0.35 s of imports."""


def test_the_start_of_a_headless_run_imports_nothing_heavy():
    program = (
        f"{HEADLESS}\n"
        "import sys\n"
        f"heavy = set({NOT_AT_THE_START!r}.split()) & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_what_was_imported_without_its_surroundings_behaves_as_ever():
    program = (
        "import sys, stmlab.station.guardian_process, drivers.sr860, drivers.m8195a, drivers.nanonis\n"
        "assert not {'unittest.mock', 'asyncio', 'ssl'} & set(sys.modules), 'what watches a run begins at once'\n"
        "import stmlab.acquisition.runner\n"
        "assert not {'pandas', 'pint', 'unittest.mock'} & set(sys.modules)\n"
        "import pymeasure.adapters, pymeasure.adapters.protocol as protocol\n"
        "adapter, other = protocol.ProtocolAdapter(), protocol.ProtocolAdapter()\n"
        "from unittest.mock import MagicMock\n"
        "assert isinstance(adapter.connection, MagicMock) and isinstance(other.connection, MagicMock)\n"
        "assert protocol.MagicMock is MagicMock\n"
        "import pymeasure.experiment as full\n"
        "from stmlab.acquisition.parameters import Procedure, FloatParameter\n"
        "assert full.Procedure is Procedure and full.FloatParameter is FloatParameter\n"
        "assert full.Results is not None\n"
        "assert Procedure.parse_columns(['Voltage (V)'])['Voltage (V)'] == 'volt'\n"
        "try:\n"
        "    Procedure.parse_columns(['Voltage (Vlt)'])\n"
        "except ValueError as error:\n"
        "    assert 'not defined in Pint registry' in str(error)\n"
        "else:\n"
        "    raise SystemExit('an unknown unit was accepted')\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
