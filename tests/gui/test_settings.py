"""What the window remembers."""

from stmlab.gui.settings import Settings


def test_what_is_remembered_is_there_the_next_time(tmp_path):
    path = tmp_path / "deep" / "window.json"
    Settings(path).remember(theme="dark", values={"srs at simulated": {"dc_bias": "4 mV"}})
    again = Settings(path)
    assert again.known.theme == "dark"
    assert again.known.values == {"srs at simulated": {"dc_bias": "4 mV"}}
    assert again.problem == ""
    assert [file.name for file in path.parent.iterdir()] == ["window.json"]


def test_two_windows_do_not_undo_what_the_other_remembers(tmp_path):
    first, second = Settings(tmp_path / "w.json"), Settings(tmp_path / "w.json")
    first.remember(theme="dark")
    second.remember(station="bench")
    first.remember_panel("live", cursor=True)
    second.remember_panel("log", level="Debug")
    third = Settings(tmp_path / "w.json")
    assert (third.known.theme, third.known.station) == ("dark", "bench")
    assert third.known.panels == {"live": {"cursor": True}, "log": {"level": "Debug"}}


def test_a_file_that_cannot_be_read_is_kept_aside_and_said(tmp_path):
    path = tmp_path / "w.json"
    for broken in ("{", '{"theme": "pink"}', '{"values": 3}'):
        path.write_text(broken)
        settings = Settings(path)
        assert settings.known.theme == "system"
        assert "w.unreadable.json" in settings.problem
        assert (tmp_path / "w.unreadable.json").read_text() == broken
        settings.remember(theme="dark")
        assert Settings(path).known.theme == "dark"
