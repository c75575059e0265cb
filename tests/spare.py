"""A guardian without a spare one, for runs of this process and of forked ones."""

from types import SimpleNamespace

from stmlab.station import guardian


def begun_without_spare(post, begin=guardian._Post._begin):
    """To the run it is a spare guardian that has died: its guardian's successor would begin from nothing."""
    begin(post)
    nothing = SimpleNamespace(close=lambda: None)
    post._spare = SimpleNamespace(poll=lambda: 1, kill=lambda: None, wait=lambda: 1, stdin=nothing)
