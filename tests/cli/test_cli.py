"""The command line as a script sees it: exit status, one line of complaint, JSON."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from rich.text import Text
from typer.testing import CliRunner

from stmlab import papers as survey
from stmlab.acquisition.measurement import measurement
from stmlab.acquisition.outcome import Estimate
from stmlab.analysis.steps.shapes import StepShape
from stmlab.cli import app
from stmlab.config_files import find
from stmlab.display import estimate_as_text
from stmlab.display.runs import fit_as_text
from stmlab.events import PointTaken
from stmlab.papers.table import papers_as_text
from stmlab.results import FitParameter, FitResult
from stmlab.storage import open_run
from tests.approximately import close

FAST = ["--set", "points=8", "--seed", "2"]


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments])

    return run


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "run.h5"
    assert CliRunner().invoke(app, ["run", "srs", "-o", str(path), *FAST]).exit_code == 0
    return path


@pytest.fixture
def short_run(kept, tmp_path):
    """Of eight points, in the folder of the test."""
    return shutil.copy(kept, tmp_path / "run.h5")


def test_run_returns_rate_error_points_and_file(cli, tmp_path):
    path = tmp_path / "folder" / "run.h5"
    result = cli("run", "srs", "--json", "-o", path, "--seed", 5, "--set", "points=30", "--set", "dc_bias=4 mV")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["points"] == 30
    assert answer["file"] == str(path)
    assert path.is_file()
    assert answer["rate"] == close(1.73e9, rel=0.15)
    assert 0 < answer["error"] < 0.2 * answer["rate"]


def test_the_list_of_stations_has_no_template_and_says_how_to_copy_it(cli):
    names = set(json.loads(cli("stations", "--json").stdout))
    assert {"simulated", "simulated_attenuated"} <= names
    assert not any("example" in name for name in names)
    text = cli("stations").stdout
    assert "microscope.example.toml" in text
    assert "stmlab check NAME" in text


def test_a_value_out_of_bounds_is_one_line_and_no_file(cli, tmp_path):
    result = cli("run", "srs", "-o", tmp_path / "run.h5", "--set", "dc_bias=0.5")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("stmlab: bias = 0.5 V is out of bounds: -0.1 to 0.1 V")
    assert not (tmp_path / "run.h5").exists()
    answer = cli("run", "srs", "--json", "-o", tmp_path / "run.h5", "--set", "dc_bias=0.5")
    assert json.loads(answer.stdout)["reason"] == "OutOfBounds"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "sr"], "sr: no such sequence; there are"),
        (["run"], "name a sequence"),
        (["run", "srs", "--resume", "nothing.h5"], "--resume: the run says what is measured"),
        (["run", "--resume", "nothing.h5"], "nothing.h5"),
        (["run", "srs", "--set", "point=3"], "srs has no parameter 'point'; it has"),
        (["run", "srs", "--set", "points"], "NAME=VALUE is allowed"),
        (["run", "srs", "--set", "dc_bias=4 Hz"], "'4 Hz' is not a number, or a number with a unit of V"),
        (["run", "srs", "--station", "lab"], "lab: no such station; there are"),
        (["run", "srs", "--sample", "gold"], "gold"),
        (["show", "nothing.h5"], "nothing.h5"),
        (["fit", "nothing.h5"], "nothing.h5"),
        (["check", "nothing.toml"], "nothing.toml: no such file"),
        (["simulate", "--speed", "0"], "more than 0 is allowed"),
    ],
)
def test_a_wrong_input_is_one_line_that_says_what_is_wrong(cli, arguments, complaint):
    result = cli(*arguments)
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_check_estimates_and_writes_nothing(cli, tmp_path):
    result = cli("run", "srs", "--check", *FAST)
    assert result.exit_code == 0
    assert "nothing moved" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_run_is_resumed_and_fitted_as_a_whole(cli, tmp_path, monkeypatch):
    path = tmp_path / "run.h5"
    with measurement("srs", settings={"points": 14}, path=path) as (runner, _):
        runner.listen(lambda e: runner.stop() if isinstance(e, PointTaken) and e.index == 4 else None)
        assert runner.run().points == 5
    checked = cli("run", "--resume", path, "--check")
    assert "9 points" in checked.stdout
    assert cli("show", path).stdout.count("points     5 of") == 1
    monkeypatch.setattr("stmlab.station.Station.is_simulated", False)  # as at a real microscope
    monkeypatch.setattr("typer.confirm", lambda question, err: "same place" not in question)
    refused = cli("run", "--resume", path)
    assert refused.exit_code == 1
    assert cli("show", path).stdout.count("points     5 of") == 1
    result = cli("run", "--resume", path, "--same-place", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["points"] == 14
    assert json.loads(result.stdout)["fits"][0]["points"] == 14


def test_a_run_of_a_station_file_of_ones_own_is_resumed_with_that_file(cli, tmp_path):
    path, own = tmp_path / "run.h5", tmp_path / "mine.toml"
    shipped = find("simulated")
    own.write_text(shipped.read_text(encoding="utf-8").replace('"simulated"', '"mine"', 1), encoding="utf-8")
    for name in ("transfer", "samples"):
        (tmp_path / name).symlink_to(shipped.parent / name)
    with measurement("srs", str(own), settings={"points": 10}, path=path) as (runner, _):
        runner.listen(lambda e: runner.stop() if isinstance(e, PointTaken) and e.index == 3 else None)
        runner.run()
    refused = cli("run", "--resume", path)
    assert (refused.exit_code, open_run(path).points) == (1, 4)
    assert "mine: no such station" in refused.stderr
    assert "--station names the file" in refused.stderr
    assert cli("run", "--resume", path, "--station", own, "--json").exit_code == 0
    assert open_run(path).points == 10


def test_show_and_fit_read_what_run_wrote(cli, short_run, tmp_path):
    raw = (path := short_run).read_bytes()
    shown = cli("show", path, "--png", tmp_path / "run.png")
    assert shown.exit_code == 0
    assert "dc_bias" in shown.stdout
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    again = cli("fit", path, "--json")
    assert json.loads(again.stdout)["model"] == "srs"
    assert path.read_bytes() == raw
    before = len(json.loads(cli("show", path, "--json").stdout)["fits"])
    assert cli("fit", path, "--keep").exit_code == 0
    assert len(json.loads(cli("show", path, "--json").stdout)["fits"]) == before + 1


def test_an_unknown_model_lists_the_known_ones(cli, short_run):
    result = cli("fit", short_run, "--model", "parabola")
    assert result.exit_code == 1
    assert "srs" in result.stderr


def test_a_run_without_a_file_name_makes_one(cli, tmp_path):
    assert cli("run", "srs", *FAST).exit_code == 0
    assert cli("run", "srs", *FAST).exit_code == 0
    assert len(list(tmp_path.glob("*_srs_fe_atom*.h5"))) == 2


def test_check_reads_every_instrument(cli):
    result = cli("check", "--json")
    assert set(json.loads(result.stdout)["instruments"]) >= {"lockin", "awg", "controller"}


def test_sequences_lists_parameters_with_units(cli):
    answer = json.loads(cli("sequences", "--json").stdout)
    assert answer["srs"]["parameters"]["dc_bias"]["unit"] == "V"
    assert "dc_bias" in cli("sequences", "srs").stdout


def test_stations_and_samples_are_listed_with_what_they_are(cli):
    stations, samples = (json.loads(cli(name, "--json").stdout) for name in ("stations", "samples"))
    assert stations["simulated"]["title"] == "simulated low-temperature STM with microwave line"
    assert stations["simulated"]["file"].endswith("simulated.toml")
    assert samples["coh_afm_tip"]["title"] == "CoH, functionalised tip, antiferromagnetic correlation"
    assert set(stations).isdisjoint(samples)
    for name, listed in (("stations", stations), ("samples", samples)):
        lines = cli(name).stdout.partition("\n\n")[0].splitlines()  # then: how to make one for a microscope
        assert [line.split()[0] for line in lines] == sorted(listed)
        assert all(listed[line.split()[0]]["title"] in line for line in lines)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.5, "0.5 s"), (119.0, "119 s"), (120.0, "0:02:00"), (3725.4, "1:02:05"), (9e4, "1 day, 1:")],
)
def test_a_duration_is_told_in_seconds_below_two_minutes(seconds, told):
    assert f"would take {told}" in estimate_as_text(Estimate(5, seconds, 1000))


def test_a_residual_is_told_with_the_unit_of_the_data():
    labels = {"y_unit": "A"}
    fit = FitResult("srs", (FitParameter("rate", 1e9, 1e7, "1/s"),), ("rate",), np.eye(1), 7, 2e-13, labels=labels)
    head, rate = fit_as_text(fit).splitlines()
    assert head == "fit srs: 7 points, rms residual 2e-13 A"
    assert rate.split() == ["rate", "(1.000", "±", "0.010)·10⁹", "/s"]


def test_papers_gives_rows_with_a_verdict_each(cli):
    rows = json.loads(cli("papers", "horovitz", "--json").stdout)
    assert {"paper", "item", "reference", "source", "computed", "unit", "verdict", "note"} == set(rows[0])
    assert {row["verdict"] for row in rows} <= {"agrees", "differs", "not reproducible"}
    assert all(row["note"] for row in rows if row["verdict"] != "agrees")
    assert cli("papers", "einstein").exit_code == 1


DAT = "Experiment\tbias spectroscopy\t\n\n[DATA]\nBias calc (V)\tLIX 1 omega (A)\tLIX 1 omega [bwd] (A)\n"


@pytest.fixture
def spectrum(tmp_path):
    """Recorded by another program: two pairs of steps."""
    bias, shape = np.linspace(-10e-3, 10e-3, 301), StepShape(2.0)
    random = np.random.default_rng(4)
    rows = [bias]
    for _ in range(2):
        steps = sum(shape.step(side * 1e3 * bias - e) for e in (2.0, 5.0) for side in (-1, 1))
        rows.append(1e-12 * (1 + steps + 0.02 * random.standard_normal(bias.size)))
    path = tmp_path / "spectrum.dat"
    path.write_text(DAT + "\n".join("\t".join(f"{v:.9E}" for v in row) for row in np.column_stack(rows)) + "\n")
    return path


def test_a_fit_is_guided_within_a_stretch_and_drawn_as_svg(cli, spectrum, tmp_path):
    ends, start = ("--within", "-7 mV, 7 mV"), ("--start", "inner_energy=1.5", "--start", "temperature=3 K")
    answer = cli("fit", spectrum, *ends, *start, "--fix", "bias_offset", "--png", tmp_path / "fit.svg", "--json")
    forward = json.loads(answer.stdout)["fits"]["forward"]
    values = {parameter["name"]: parameter["value"] for parameter in forward["parameters"]}
    assert values["inner_energy"] == pytest.approx(2.0, abs=0.1)
    assert forward["points"] == 211
    assert "inner_energy = 1.5 meV" in forward["choices"]["begun at"]
    assert forward["choices"]["fixed"].startswith("bias_offset")
    assert (tmp_path / "fit.svg").read_text().startswith("<?xml")
    refused = cli("fit", spectrum, "--within", "7 mV")
    assert refused.exit_code != 0
    assert "two ends are needed" in refused.stderr


def test_a_recorded_file_is_fitted_shown_and_drawn(cli, spectrum, tmp_path):
    answer = json.loads(cli("fit", spectrum, "--json").stdout)
    assert list(answer["fits"]) == ["forward", "backward"]
    inner = answer["fits"]["backward"]["parameters"][0]
    assert (inner["name"], inner["unit"]) == ("inner_energy", "meV")
    assert abs(inner["value"] - 2.0) < 4 * inner["error"] < 0.1
    text = cli("fit", spectrum, "--channel", "LIX 1 omega [bwd]")
    assert text.exit_code == 0, text.stderr
    assert text.stdout.startswith("backward: fit steps: 301 points")
    shown = cli("show", spectrum, "--png", tmp_path / "spectrum.png")
    assert "LIX 1 omega [bwd]" in shown.stdout
    assert shown.stderr == f"wrote {tmp_path / 'spectrum.png'}\n"
    assert (tmp_path / "spectrum.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--keep"], "a file of another program is never written to"),
        (
            ["--model", "exchange"],
            "is not for recorded files: steps, steps_one_pair, gaussians, gaussians_one_pair, transport, telegraph",
        ),
        (
            ["--model", "srs"],
            "Bias calc in V was swept: srs needs a frequency in Hz",
        ),
        (["--channel", "Z"], "no column 'Z'; there are Bias calc, LIX 1 omega, LIX 1 omega [bwd]"),
    ],
)
def test_what_a_recorded_file_cannot_have_is_refused_in_one_line(cli, spectrum, arguments, complaint):
    before = spectrum.read_bytes()
    result = cli("fit", spectrum, *arguments)
    assert result.exit_code == 1
    assert complaint in " ".join(result.stderr.split())
    assert spectrum.read_bytes() == before


def test_what_a_recorded_file_does_not_say_can_be_given(cli, spectrum, tmp_path):
    answer = json.loads(cli("fit", spectrum, "--set", "temperature=2 K", "--set", "window=8mV", "--json").stdout)
    forward = answer["fits"]["forward"]
    assert forward["choices"]["given"] == "temperature = 2 K, window = 0.008 V"
    assert forward["choices"]["column"] == "LIX 1 omega"
    assert "temperature" not in {parameter["name"] for parameter in forward["parameters"]}
    assert forward["points"] == 241
    drawn = cli("fit", spectrum, "--model", "gaussians", "--png", tmp_path / "gaussians.png")
    assert drawn.exit_code == 0, drawn.stderr
    assert (tmp_path / "gaussians.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("field=5 T", "field: the model steps takes temperature, modulation, window"),
        ("window=8 A", "'8 A' is not a number, or a number with a unit of V"),
        ("window", "NAME=VALUE is allowed"),
        ("temperature=-1", "temperature_K = -1.0 K: above 0"),
    ],
)
def test_a_setting_that_a_fit_cannot_use_is_refused_in_one_line(cli, spectrum, setting, complaint):
    result = cli("fit", spectrum, "--set", setting)
    assert result.exit_code == 1
    assert complaint in " ".join(result.stderr.split())


def test_a_channel_is_not_for_runs(cli, short_run):
    result = cli("fit", short_run, "--channel", "current")
    assert result.exit_code == 1
    assert "--channel is for recorded files" in " ".join(result.stderr.split())


def test_a_folder_that_cannot_be_made_is_one_line(cli, tmp_path):
    (tmp_path / "file").touch()
    for arguments in (["demo", "-d", "file/runs"], ["papers", "fransson", "--figures", "file/figures"]):
        result = cli(*arguments)
        assert (result.exit_code, result.stderr) == (1, f"stmlab: {arguments[-1]}: Not a directory\n")
    answer = json.loads(cli("demo", "-d", "file/runs", "--json").stdout)
    assert answer == {"state": "failed", "reason": "NotADirectoryError", "message": "file/runs: Not a directory"}


def test_a_check_refuses_what_the_run_would_refuse_about_the_file(cli, tmp_path):
    (tmp_path / "run.h5").touch()
    (tmp_path / "file").touch()
    refused = {"run.h5": "run.h5 exists already", "file/run.h5": f"{tmp_path / 'file'} is no folder"}
    for output, complaint in refused.items():
        result = cli("run", "srs", "--check", "-o", output, *FAST)
        assert result.exit_code == 1
        assert complaint in result.stderr


@pytest.mark.usefixtures("short_run")
def test_recover_tells_what_it_saved(cli):
    assert cli("recover", "run.h5", "copy.h5").stdout == "copy.h5: 8 points of srs, state finished\n"
    answer = json.loads(cli("recover", "run.h5", "folder/copy.h5", "--json").stdout)
    assert (answer["file"], answer["points"], answer["state"]) == ("folder/copy.h5", 8, "finished")
    assert "source and copy are the same file" in cli("recover", "run.h5", "./run.h5").stderr


def test_a_single_frequency_is_a_measurement_without_a_fit(cli, tmp_path):
    result = cli("run", "srs", "-o", tmp_path / "run.h5", "--set", "points=1")
    assert result.exit_code == 0
    assert result.stdout.startswith("finished: 1 point (no fit: a single frequency is no spectrum)")


def test_a_window_on_a_screen_that_nobody_serves_is_refused(cli, monkeypatch):
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":7077")
    monkeypatch.setattr("sys.platform", "linux")
    result = cli("gui")
    assert result.exit_code == 1
    told = "nobody serves it, or it does not let this user in"
    assert result.stderr == f"stmlab: no screen: DISPLAY=:7077: {told}; `stmlab run` needs no screen\n"


def test_parameters_are_shown_in_prefixed_units_with_what_is_allowed(cli, short_run):
    lines = {line.split()[0]: " ".join(line.split()) for line in cli("sequences", "srs").stdout.splitlines()[1:]}
    assert lines["stop_frequency"] == "stop_frequency 20 GHz 1 kHz to 25 GHz of the grid"
    assert lines["filter_slope"].startswith("filter_slope 24 dB/octave 6, 12, 18, 24 of the lock-in")
    assert lines["points"].startswith("points 60 1 to 100000 frequencies")
    shown = [line.split() for line in cli("show", short_run).stdout.splitlines()]
    assert ["current_range", "200", "pA"] in shown
    assert ["flatten", "true"] in shown
    answer = json.loads(cli("sequences", "srs", "--json").stdout)
    assert answer["srs"]["parameters"]["stop_frequency"]["value"] == 20e9


def test_show_of_a_recorded_file_has_its_header_unless_it_is_long(cli, spectrum):
    assert "Experiment  bias spectroscopy\n" in cli("show", spectrum).stdout
    spectrum.write_text("".join(f"key {k}\tvalue\t\n" for k in range(50)) + spectrum.read_text())
    text, answer = cli("show", spectrum).stdout, json.loads(cli("show", spectrum, "--json").stdout)
    assert "key 39" in text
    assert "key 40" not in text
    assert "and 11 more: --json has all" in text
    assert len(answer["header"]) == 51


def test_tables_are_as_wide_as_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    rows = survey.rows("horovitz")
    assert Text.from_ansi(papers_as_text(rows).splitlines()[1]).cell_len == 80
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    assert len(papers_as_text(rows).splitlines()[1]) == 150


@pytest.fixture
def many(spectrum, tmp_path):
    """The spectrum twice, a run, and a file that holds nothing to fit."""
    copy = tmp_path / "again.dat"
    copy.write_bytes(spectrum.read_bytes())
    empty = tmp_path / "empty.dat"
    empty.write_text("[DATA]\nZ (m)\tCurrent (A)\n1\t2\n3\t4\n")
    return [spectrum, copy, empty]


def test_many_files_are_a_json_object_a_line(cli, many, short_run):
    result = cli("fit", *many, short_run, "--json")
    assert result.exit_code == 1  # one of them is refused
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["file"] for line in lines] == [str(path) for path in (*many, short_run)]
    assert [list(line.get("fits", ())) for line in lines] == [["forward", "backward"]] * 2 + [[], ["run"]]
    assert lines[2]["state"] == "failed"
    assert "steps need a bias in V" in lines[2]["message"]
    assert cli("fit", *many[:2], "--json").exit_code == 0


def test_many_files_are_a_table(cli, many):
    result = cli("fit", *many)
    assert result.exit_code == 1
    rows = result.stdout.splitlines()
    assert rows[0].split() == ["file", "sweep", "model", "result", "warnings"]
    assert sum("inner_energy" in row for row in rows) == 4
    assert rows[-1].startswith(f"{many[2]}: refused: Z in m was swept")


def test_the_pictures_of_many_files_go_into_a_folder_that_exists(cli, many, tmp_path):
    (tmp_path / "figures").mkdir()
    one = ("--channel", "LIX 1 omega")  # of two
    drawn = cli("fit", *many[:2], *one, "--png", tmp_path / "figures")
    assert drawn.exit_code == 0, drawn.stderr
    names = [tmp_path / "figures" / f"{path.stem}.png" for path in many[:2]]
    assert drawn.stderr.splitlines() == [f"wrote {name}" for name in names]
    assert all(name.read_bytes().startswith(b"\x89PNG") for name in names)
    refused = cli("fit", *many[:2], "--png", tmp_path / "figure")
    assert refused.exit_code == 1
    assert "2 files need a folder that exists" in " ".join(refused.stderr.split())
    assert not (tmp_path / "figure").exists()
    assert "into one picture" in cli("fit", many[0], many[0], "--png", tmp_path / "figures").stderr


def test_a_mistyped_folder_is_refused_and_not_made(cli, spectrum, tmp_path):
    for arguments in (
        ["papers", "fransson", "--figures", tmp_path / "figs" / "papers"],
        ["demo", "-d", tmp_path / "figs" / "runs"],
        ["show", spectrum, "--png", tmp_path / "figs" / "spectrum.png"],
        ["fit", spectrum, "--png", tmp_path / "figs" / "spectrum.png"],
    ):
        result = cli(*arguments)
        assert result.exit_code == 1
        assert "no folder" in " ".join(result.stderr.split())
        assert not (tmp_path / "figs").exists()


def test_what_a_reader_noted_is_shown(cli, tmp_path):
    path = tmp_path / "comma.dat"
    path.write_text("[DATA]\nBias (V)\tCurrent (A)\n0,1\t2\n0,3\t4\n")
    assert "note: numbers are written with decimal commas" in cli("show", path).stdout
    assert json.loads(cli("show", path, "--json").stdout)["notes"] == ["numbers are written with decimal commas"]


def test_what_a_command_says_needs_no_fit():
    program = (
        "import sys, stmlab.cli, stmlab.display\n"
        "heavy = set('stmlab.analysis stmlab.physics scipy lmfit pandas matplotlib PyQt6'.split()) & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
