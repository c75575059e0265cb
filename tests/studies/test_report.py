"""The report: figures of known samples, and errors that are as large as the figures scatter."""

import json
import math

import numpy as np
import pytest

from stmlab.display.studies import report_as_text, write_report
from stmlab.errors import FileError
from stmlab.studies import Report, read_study
from stmlab.studies.results import Record
from tests.approximately import close
from tests.studies.small import TEXT, write_study

TRUE, ERROR, TIME = 50.0, 2.0, 30.0


def study_of(tmp_path, seeds):
    return read_study(write_study(tmp_path, TEXT.replace("seeds = 2", f"seeds = {seeds}")))


def records(study, deviations, error=ERROR, **more):
    """Of the first cell."""
    cell = study.cells[0].key
    made = [
        Record(cell, seed, TRUE, TRUE + away, error, "1/s", TIME, 8, **more)
        for seed, away in zip(study.seeds, deviations, strict=True)
    ]
    return {record.key: record for record in made}


def figures(study, found):
    return Report.of(study, found).cells[0].figures


def test_figures_are_those_of_their_definitions(tmp_path):
    study = study_of(tmp_path, 4)
    found = figures(study, records(study, [-1.0, 1.0, 3.0, 5.0]))
    assert found["bias"].value == close(2.0, rel=1e-12)
    assert found["bias"].error == close(math.sqrt(20 / 3) / 2, rel=1e-12)
    assert found["width"].value == close(math.sqrt(20 / 3) / 2, rel=1e-12)
    assert found["coverage"].value == 0.5
    assert found["coverage_95"].value == 0.75
    assert found["time_to_target"].value == close(TIME * (ERROR / (0.02 * TRUE)) ** 2, rel=1e-12)
    assert found["time_to_target"].error == 0.0


@pytest.mark.parametrize("kind", [pytest.param("normal", marks=pytest.mark.slow), "laplace"])
def test_errors_are_as_large_as_the_figures_scatter(tmp_path, kind):
    study, chance = study_of(tmp_path, 50), np.random.default_rng(2)
    told = []
    for _ in range(200):
        deviations = 0.3 + ERROR * getattr(chance, kind)(size=50)
        found = figures(study, records(study, deviations))
        told.append([(found[name].value, found[name].error) for name in ("bias", "width", "coverage")])
    values, errors = np.moveaxis(np.array(told), 2, 0)
    np.testing.assert_allclose(errors.mean(axis=0), values.std(axis=0), rtol=0.17)


def test_honest_fits_have_pulls_of_width_one_and_cover_as_they_should(tmp_path):
    study = study_of(tmp_path, 4000)
    found = figures(study, records(study, ERROR * np.random.default_rng(3).standard_normal(4000)))
    for name, expected in {"bias": 0.0, "width": 1.0, "coverage": 0.6827, "coverage_95": 0.95}.items():
        assert abs(found[name].value - expected) < 3.5 * found[name].error < 0.15, name


def test_a_coverage_of_all_has_an_error_all_the_same(tmp_path):
    study = study_of(tmp_path, 10)
    assert figures(study, records(study, [0.0] * 10))["coverage"].error > 0.02


def test_refused_and_missing_runs_are_counted_and_touch_no_figure(tmp_path):
    study = study_of(tmp_path, 3)
    found = records(study, [-1.0, 1.0, 3.0])
    first, *_ = found
    found[first] = Record(*first, TRUE, math.nan, math.nan, "", math.nan, 0, refused="no step")
    report = Report.of(study, found)
    cell = report.cells[0]
    assert (cell.runs, cell.fits, dict(cell.refused)) == (3, 2, {"no step": 1})
    assert cell.figures["bias"].value == 2.0
    assert report.missing == 9
    text = report_as_text(report)
    assert "2 of 3" in text
    assert "1 refused: no step" in text
    assert "9 runs are missing" in text


def test_what_is_far_from_honest_is_marked(tmp_path):
    study = study_of(tmp_path, 200)
    deviations = ERROR * np.random.default_rng(4).standard_normal(200)
    assert "!" not in report_as_text(Report.of(study, records(study, deviations)))
    assert report_as_text(Report.of(study, records(study, deviations, error=ERROR / 2))).count("!") == 3


def test_a_rate_at_another_height_than_its_truth_is_told(tmp_path):
    study = study_of(tmp_path, 2)
    assert "0.36 of it" in report_as_text(Report.of(study, records(study, [0.0, 1.0], scale=0.36)))
    assert "conductance" not in report_as_text(Report.of(study, records(study, [0.0, 1.0], scale=1.001)))


def test_files_hold_the_figures_and_are_not_overwritten(tmp_path):
    import xarray

    study = study_of(tmp_path, 3)
    made = records(study, [-1.0, 3.0, 0.0])
    *_, last = made
    made[last] = Record(*last, TRUE, math.nan, math.nan, "", math.nan, 0, refused="no step")
    report = Report.of(study, made)
    for ending in (".csv", ".json", ".nc"):
        write_report(report, tmp_path / f"report{ending}")
        with pytest.raises(FileError, match="exists"):
            write_report(report, tmp_path / f"report{ending}")
    head, first, *_ = (tmp_path / "report.csv").read_text().splitlines()
    row = dict(zip(head.split(","), first.split(","), strict=True))
    assert float(row["bias"]) == 1.0
    assert float(row["bias_error"]) == 2.0
    assert int(row["refused"]) == 1
    assert float(row["sample.two_level.relaxation_rate_per_s"]) == 1.5e9
    cell = json.loads((tmp_path / "report.json").read_text())["cells"][0]
    assert cell["bias"] == {"value": 1.0, "error": 2.0}
    with xarray.open_dataset(tmp_path / "report.nc") as data:
        one = data.sel(relaxation_rate_per_s=1.5e9, averages=1)
        assert float(one.bias) == 1.0
        assert float(one.bias_error) == 2.0
        np.testing.assert_array_equal(one.run_value, [49.0, 53.0, math.nan])
        np.testing.assert_array_equal(one.run_error, [ERROR, ERROR, math.nan])
        np.testing.assert_array_equal(one.run_time_s, [TIME, TIME, math.nan])
        assert np.isnan(data.run_value.sel(averages=2)).all()
        assert data.bias.attrs["units"] == "1/s"
