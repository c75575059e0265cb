"""Placements of steps: beside the model, and their systems beside the library's solution of each."""

import numpy as np
import pytest

from stmlab.analysis.steps.model import StepModel
from stmlab.analysis.steps.normal_equations import eliminated, pairs_of
from stmlab.analysis.steps.shapes import StepShape
from stmlab.analysis.steps.starts import placements, step_family


@pytest.mark.parametrize("terms", [1, 2, 6])
def test_systems_eliminated_side_by_side_are_solved_as_each_by_itself(terms):
    random = np.random.default_rng(1)
    family = random.normal(size=(9, 30))
    products, overlaps = family @ family.T, random.normal(size=9)
    members = np.array([random.choice(9, terms, replace=False) for _ in range(5)])
    found, logarithms = eliminated(products.take(pairs_of(members, 9)), overlaps[members].T)
    for chosen, solution, logarithm in zip(members, found.T, logarithms, strict=True):
        system = products[np.ix_(chosen, chosen)]
        np.testing.assert_allclose(solution, np.linalg.solve(system, overlaps[chosen]), rtol=1e-12)
        np.testing.assert_allclose(logarithm, np.linalg.slogdet(system)[1], rtol=1e-12)


@pytest.mark.parametrize("plateaus", [False, True])
@pytest.mark.parametrize("pairs", [1, 2])
def test_the_members_of_a_placement_make_the_model_at_its_energies(pairs, plateaus):
    """Each column of the one is a sum of those of the other."""
    model = StepModel(pairs, 1.5, 0.0, True, True, plateaus)
    x, grid, shape = np.linspace(-10, 10, 101), 0.4, StepShape(1.5)
    family = step_family(x, model, grid, shape)
    energies, offsets, members, _ = placements(model)
    for number in (0, len(members) // 3, len(members) - 1):
        vector = np.zeros(len(model.names))
        vector[: pairs + 1] = grid * np.array([*np.diff(energies[number], prepend=0.0), offsets[number]])
        design, columns = model.at(vector, x).design, family[members[number]].T
        assert design.shape == columns.shape
        np.testing.assert_allclose(columns @ np.linalg.lstsq(columns, design, rcond=None)[0], design, atol=1e-9)
