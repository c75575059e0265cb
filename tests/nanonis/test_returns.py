"""The table of what commands return, beside the maker's own client."""

import struct

from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.protocol import pack
from stmlab.nanonis.returns import RETURNS, empty_returns
from tests.nanonis.client_layouts import client_types, notation

# Where nanonis_spm 1.0.9 reads other returns than the document lists
OTHERWISE = {"BiasSpectr.StatusGet", "BiasSpectr.PropsGet", "Util.VersionGet", "Scan.PropsGet"}


def test_every_command_of_the_client_is_in_one_of_the_tables():
    assert set(client_types()) <= set(COMMANDS) | set(RETURNS)
    assert not set(COMMANDS) & set(RETURNS)
    assert len(COMMANDS) + len(RETURNS) >= 661


def test_the_table_is_what_the_client_takes_apart():
    assert {name: notation(name, types) for name, types in client_types().items() if name in RETURNS} == dict(RETURNS)


def test_empty_returns_are_so_many_zeros():
    assert empty_returns("AtomTrack.PropsGet") == struct.pack(">fffff", 0, 0, 0, 0, 0)
    assert empty_returns("APRFGen.ListSwpPropsGet") == struct.pack(">HiiHfH", 0, 0, 0, 0, 0, 0)
    assert empty_returns("AtomTrack.PropsSet") == b""


def test_the_commands_that_are_used_return_as_much_as_the_client_takes_apart():
    def sizes(types):
        return struct.calcsize(">" + "".join(one for one in types if len(one) == 1))

    ours = {
        name: len(pack(found.returns, [field.empty() for field in found.returns])) for name, found in COMMANDS.items()
    }
    theirs = {name: sizes(types) for name, types in client_types().items() if name in COMMANDS}
    assert {name for name, size in theirs.items() if size != ours[name]} <= OTHERWISE
