"""Driven rate equations with 70 digits (mpmath): references for systems whose rates lie many decades apart."""

from __future__ import annotations

import mpmath as mp
import numpy as np

DIGITS = 70


def exact_generator(rates):
    """The rate matrix of double-precision ``rates``, (n, n), [f, i] from i to f, with columns that sum to zero."""
    n = len(rates)
    matrix = mp.matrix(n, n)
    for i in range(n):
        for j in range(n):
            if i != j:
                matrix[i, j] = mp.mpf(float(rates[i, j]))
    for j in range(n):
        matrix[j, j] = -mp.fsum(matrix[i, j] for i in range(n) if i != j)
    return matrix


def normalised(matrix):
    """p with matrix p = 0 and sum 1."""
    square = matrix.copy()
    for j in range(square.cols):
        square[0, j] = 1
    right = mp.matrix(square.cols, 1)
    right[0] = 1
    return mp.lu_solve(square, right)


def solved(square, right):
    """X with square X = right, without a search for pivots: the diagonal outweighs the rest of its column."""
    n = square.rows
    rows = [[square[i, j] for j in range(n)] + [right[i, j] for j in range(n)] for i in range(n)]
    for i, pivot in enumerate(rows):
        pivot[i:] = [value / pivot[i] for value in pivot[i:]]
        for row in rows:
            if row is not pivot:
                row[i:] = [value - row[i] * own for value, own in zip(row[i:], pivot[i:], strict=True)]
    return mp.matrix([row[n:] for row in rows])


def static_mean(rates, currents):
    """Mean current at constant rates."""
    occupations = normalised(exact_generator(rates))
    return mp.fsum(mp.mpf(float(current)) * p for current, p in zip(currents, occupations, strict=True))


def cosine_mean(rates, swing, currents, current_swing, frequency, harmonics):
    """Mean current under rates + swing cos(2 pi f t): its harmonics are coupled to their neighbours only.

    (i k w - G0) p_k = G1 (p_(k-1) + p_(k+1)) is solved from the highest harmonic down, p_k = R_k p_(k-1). Each further
    harmonic takes an order of magnitude from the error.
    """
    constant, half = exact_generator(rates), exact_generator(swing) / 2
    n = len(rates)
    ratio, angular = mp.matrix(n, n), 2 * mp.pi * mp.mpf(float(frequency))
    for k in range(harmonics, 0, -1):
        ratio = solved(mp.eye(n) * mp.mpc(0, k * angular) - constant - half * ratio, half)
    average = normalised(constant + 2 * (half * ratio).apply(mp.re))
    first = ratio * average
    return mp.fsum(
        mp.mpf(float(currents[j])) * average[j] + mp.mpf(float(current_swing[j])) * mp.re(first[j]) for j in range(n)
    )


def sampled_mean(generators, currents, frequency):
    """Mean current under rates known at an odd number of equally spaced times, by Fourier differentiation."""
    times, n = len(generators), generators.shape[1]
    equations, right = mp.matrix(n * times, n * times), mp.matrix(n * times, 1)
    for a in range(times):
        rates = exact_generator(generators[a])
        for i in range(n):
            for b in range(times):
                if a != b:
                    slope = mp.pi * (-1) ** (a - b) / mp.sin(mp.pi * mp.mpf(a - b) / times)
                    equations[a * n + i, b * n + i] += mp.mpf(float(frequency)) * slope
            for j in range(n):
                equations[a * n + i, a * n + j] -= rates[i, j]
        for column in range(n * times):
            equations[a * n, column] = 1 if a * n <= column < (a + 1) * n else 0
        right[a * n] = 1
    answer = mp.lu_solve(equations, right)
    total = mp.fsum(mp.mpf(float(currents[a, i])) * answer[a * n + i] for a in range(times) for i in range(n))
    return total / times


def ramped_mean(pieces, constant, swing, currents, current_swing):
    """Mean current under voltages that are linear in time, ``pieces`` of (start, end, duration); rates are linear, too.

    The Taylor series of P' = (A + B t) P with the charge as one more row, in steps short against the fastest rate.
    """
    n = len(constant)
    base, slope = exact_generator(constant), exact_generator(swing)
    fastest = max(abs(base[j, j]) + abs(slope[j, j]) for j in range(n))
    around, charge = mp.eye(n), mp.matrix(1, n)
    for start, end, duration in pieces:
        start, end, duration = (mp.mpf(float(value)) for value in (start, end, duration))
        count = int(mp.ceil(fastest * duration))
        step = duration / count
        for number in range(count):
            voltage, rise = start + (end - start) * number / count, (end - start) / count
            first = mp.matrix(n + 1, n + 1)
            second = mp.matrix(n + 1, n + 1)
            for j in range(n):
                for i in range(n):
                    first[i, j], second[i, j] = (base[i, j] + slope[i, j] * voltage) * step, slope[i, j] * rise * step
                first[n, j] = (mp.mpf(float(currents[j])) + mp.mpf(float(current_swing[j])) * voltage) * step
                second[n, j] = mp.mpf(float(current_swing[j])) * rise * step
            before, term = mp.matrix(n + 1, n + 1), mp.eye(n + 1)
            total = term.copy()
            for power in range(1, 45):
                before, term = term, (first * term + second * before) / power
                total += term
            charge += total[n, :n] * around
            around = total[:n, :n] * around
    occupation = normalised(around - mp.eye(n))
    return (charge * occupation)[0] / mp.fsum(mp.mpf(float(duration)) for *_, duration in pieces)


def held_mean(pieces, currents):
    """Mean current under rates that are held, ``pieces`` of (rates, duration), with the currents of each piece.

    The charge is one more row of each exponential.
    """
    n = len(pieces[0][0])
    around, charge = mp.eye(n), mp.matrix(1, n)
    for (rates, duration), own in zip(pieces, currents, strict=True):
        generator = mp.matrix(n + 1, n + 1)
        generator[:n, :n] = exact_generator(rates)
        for j in range(n):
            generator[n, j] = mp.mpf(float(own[j]))
        change = mp.expm(generator * mp.mpf(float(duration)), method="pade")
        charge += change[n, :n] * around
        around = change[:n, :n] * around
    occupation = normalised(around - mp.eye(n))
    return (charge * occupation)[0] / mp.fsum(mp.mpf(float(duration)) for _, duration in pieces)


def as_doubles(values):
    """Differences of exact values, rounded at the end."""
    return np.array([float(value) for value in values])
