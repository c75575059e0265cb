"""Systems of placements, beside the library's solution of each."""

import numpy as np
import pytest

from stmlab.analysis.steps.normal_equations import eliminated, pairs_of


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
