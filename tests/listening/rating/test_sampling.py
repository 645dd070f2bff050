"""Tests of the draw: known probabilities, spread over what there is, the same everywhere, extended without loss."""

import itertools

import numpy as np
import pytest

from musicnet_build.listening.rating.sampling import (
    LEAST_PER_STRATUM,
    STRATA,
    Population,
    allocation,
    draw,
    expected_rates,
    strata_of,
    uniforms,
)


def population(count: int = 4000, seed: int = 0) -> Population:
    random = np.random.default_rng(seed)
    confidence = random.beta(12, 1, count)
    ensemble, recording = random.integers(4, size=count), random.integers(30, size=count)
    return Population(
        tuple(f"{i}" for i in range(count)), confidence, random.random(count) < 0.05, (ensemble, recording)
    )


def test_chance_comes_from_names_and_is_the_same_everywhere() -> None:
    found = uniforms(["1759/41/73/310.500/1", "Kvartet č. 2"], 7, 3)
    # As Python 3.11, 3.12 and 3.13 compute them from hashlib alone.
    expected = [[0.11585604116284831, 0.16002769685984652, 0.19745707272504953]]
    expected.append([0.6548180379794999, 0.24796580236170362, 0.13660174333364594])
    assert found.tolist() == expected


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    first, again, other = (draw(population(), 300, seed).drawn for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert len(set(first) & set(other)) < 100


def test_a_longer_draw_contains_the_shorter() -> None:
    draws = [set(draw(population(), count, 5).drawn.tolist()) for count in (1, 10, 50, 51, 300, 1000, 4000, 9999)]
    assert [len(one) for one in draws] == [1, 10, 50, 51, 300, 1000, 4000, 4000]
    assert all(shorter <= longer for shorter, longer in itertools.pairwise(draws))


def test_weights_sum_to_the_population() -> None:
    found = draw(population(), 300, 3)
    assert (1 / found.probability).sum() == pytest.approx(4000)
    assert found.sizes.sum() == 4000
    assert found.counts.sum() == 300


def test_every_unit_of_a_stratum_is_as_likely_as_another() -> None:
    few = population(400)
    times = np.zeros(400)
    for seed in range(400):
        times[draw(few, 100, seed).drawn] += 1
    found = draw(few, 100, 0)
    for stratum in range(3):
        own = times[found.stratum == stratum] / 400
        probability = found.counts[stratum] / found.sizes[stratum]
        spread = np.sqrt(probability * (1 - probability) / 400)
        assert abs(own.mean() - probability) < 1e-9
        assert np.abs(own - probability).max() < 5 * spread


def test_a_draw_takes_its_share_of_every_group() -> None:
    confidence, none = np.full(1000, 0.95), np.zeros(1000, np.bool_)
    ensemble = (np.arange(1000) >= 900).astype(np.int64)
    people = Population(tuple(map(str, range(1000))), confidence, none, (ensemble, np.arange(1000) // 100))
    for seed in range(20):
        drawn = draw(people, 100, seed).drawn
        assert abs((drawn >= 900).sum() - 10) <= 1
        assert np.abs(np.bincount(drawn // 100, minlength=10) - 10).max() <= 2


def test_strata_follow_spans_and_confidence() -> None:
    confidence = np.array([0.99, 0.99, 0.4, 0.7, np.nan, np.nan])
    suspected = np.array([False, True, False, False, False, True])
    assert [STRATA[one] for one in strata_of(confidence, suspected)] == [
        "sure", "suspected", "suspected", "doubtful", "unknown", "suspected",
    ]  # fmt: skip


def test_strata_with_likely_errors_get_more_than_their_share_and_none_is_forgotten() -> None:
    counts = allocation(np.array([1000, 3000, 96_000, 0]), np.array([0.4, 0.15, 0.03, 0.1]), 300)
    assert counts.sum() == 300
    assert counts[0] == LEAST_PER_STRATUM
    assert counts[0] / 1000 > counts[1] / 3000 > counts[2] / 96_000
    assert allocation(np.array([5, 0, 7, 0]), np.full(4, 0.1), 300).tolist() == [5, 0, 7, 0]


def test_a_stratum_without_confidence_is_expected_to_be_neither_right_nor_wrong_for_sure() -> None:
    rates = expected_rates(np.array([1.0, 1.0, np.nan]), np.array([2, 2, 3]))
    assert np.all((rates > 0) & (rates < 1))
