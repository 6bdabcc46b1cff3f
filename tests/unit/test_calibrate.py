"""Calibration sees rows for calibration and no others, and finds a truth that was put there."""

from dataclasses import replace

import numpy as np
import pytest

from openbont.catalog.endpoints import Row, endpoints
from openbont.catalog.evidence import changed, parameter
from openbont.errors import NoEvidence, UnknownName
from openbont.trials.calibrate import calibrate, calibration_rows, digest, families
from openbont.trials.validate import ask, values

DISORDER, NAME = "sialorrhoea", "sialorrhoea.residual_share"


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return [row for row in endpoints() if row.disorder.startswith(DISORDER)]


def with_nonsense(row: Row) -> Row:
    """A row that is not for calibration, with every number changed."""
    if row.use == "calibrate":
        return row
    return replace(row, observed=-999.0, se=1e-6, baseline=77.0, dose=1.0, n=1e6)


def test_rows_for_validation_cannot_be_seen(table: list[Row]) -> None:
    """With nonsense in all of them, and without them, the fit is the same to the last digit."""
    assert any(row.use == "validate" for row in table)
    fits = [
        calibrate(some, DISORDER, starts=2)
        for some in (
            table,
            [with_nonsense(row) for row in table],
            [row for row in table if row.use == "calibrate"],
        )
    ]
    assert fits[0] == fits[1] == fits[2]


def test_no_row_for_validation_is_ever_chosen() -> None:
    everything = endpoints()
    for family in families(everything):
        assert all(row.use == "calibrate" for row in calibration_rows(everything, family))


def test_a_truth_is_found_again(table: list[Row]) -> None:
    """Rows made by the model itself with another residual share."""
    rows = calibration_rows(table, DISORDER)
    asked, _ = ask(rows, rows)
    with changed({NAME: 0.40}):
        made = values(asked, 1)
    known = {one.row.number: value for one, value in zip(asked, made, strict=True)}
    told = [
        replace(row, observed=float(known[row.number]), se=1e-3 + 0.01 * abs(known[row.number]))
        for row in rows
        if row.number in known
    ]
    found = next(
        fit for fit in calibrate(told, DISORDER, starts=2).fits if fit.parameter.id == NAME
    )
    assert found.value == pytest.approx(0.40, abs=0.02 + 2 * found.sd)
    assert found.value < found.parameter.value - 0.1
    assert found.learnt > 0.5


def test_the_hash_is_that_of_the_rows(table: list[Row]) -> None:
    rows = calibration_rows(table, DISORDER)
    other = [replace(rows[0], observed=(rows[0].observed or 0.0) + 0.1), *rows[1:]]
    assert digest(rows) == digest(list(rows))
    assert digest(rows) != digest(other)


def test_a_family_without_rows_or_parameters_says_so(table: list[Row]) -> None:
    with pytest.raises(NoEvidence, match="no rows for calibration"):
        calibrate(table, "strabismus")
    with pytest.raises(NoEvidence, match="no free parameter"):
        calibrate(endpoints(), "healthy")


def test_a_change_is_undone_and_an_unknown_one_refused() -> None:
    before = parameter(NAME).value
    with changed({NAME: 0.2}):
        assert parameter(NAME).value == 0.2
    assert parameter(NAME).value == before
    with pytest.raises(UnknownName), changed({"sialorrhoea.residual": 1.0}):
        pass


def test_headaches_that_do_not_answer_have_no_dose_response() -> None:
    """Negative controls: the model says the same at every dose, so nothing can be fitted to it."""
    for disorder in ("headache.tension_type", "headache.chronic_daily"):
        rows = [row for row in endpoints() if row.disorder == disorder and row.scored]
        asked, _ = ask(rows, rows)
        treated = [one for one in asked if one.given.dose_u]
        without = [replace(one, given=one.given.placebo) for one in treated]
        assert np.allclose(values(treated, 1), values(without, 1), atol=1e-5)
