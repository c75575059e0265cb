"""Spin systems in files: which spins, how they couple, in which field and between which electrodes; what is fitted.

`read_system` reads one, `System.junction` builds the junction of the transport model from it.
"""

from __future__ import annotations

from stmlab.systems.files import KIND, built_in, read_system
from stmlab.systems.parameters import Parameter, Scale
from stmlab.systems.system import Conditions, System

__all__ = ["KIND", "Conditions", "Parameter", "Scale", "System", "built_in", "read_system"]
