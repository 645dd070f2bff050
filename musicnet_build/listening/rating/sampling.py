"""Which notes or clips of a dataset to listen to, drawn by chance: with known probability, where errors are likely.

A plain random sample misses a derailment that takes one recording in twenty, and no formula repairs that afterwards;
so the draw is stratified by our own doubts. Chance comes from hashes of what is drawn, not from a generator: the same
seed draws the same on every machine, and a longer draw contains the shorter one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Float64s, Int64s

STRATA = ("suspected", "doubtful", "sure", "unknown")
"""In a suspicious span or less confident than ``SUSPECTED``; less than ``SURE``; the others; without confidence."""

SUSPECTED, SURE = 0.5, 0.9
LEAST_PER_STRATUM = 20
"""What each stratum gets before the rest is shared out, however sure we are of it."""

_RATE_LIMITS = (0.02, 0.5)
_SUSPECTED_RATE = 0.3
_UNKNOWN_RATE = 0.1


@dataclass(frozen=True)
class Population:
    """All units (notes or clips) that can be drawn.

    Attributes
    ----------
    ids : tuple of str
        One per unit, each once; chance is made of them.
    confidence : ndarray of float64 [shape=(n,)]
        Probability that a label is right; of a clip the mean; nan where unknown.
    suspected : ndarray of bool [shape=(n,)]
        Whether it lies in a suspicious span.
    levels : tuple of ndarray of int64 [shape=(n,)]
        What the draw is spread over, the most important first: each a number of a group.
    """

    ids: tuple[str, ...]
    confidence: Float64s
    suspected: Bools
    levels: tuple[Int64s, ...]


@dataclass(frozen=True)
class Draw:
    """What was drawn.

    Attributes
    ----------
    drawn : ndarray of int64 [shape=(n,)]
        Numbers of units, stratum by stratum.
    stratum : ndarray of int64 [shape=(N,)]
        Of every unit of the population, an index of ``STRATA``.
    sizes, counts : ndarray of int64 [shape=(len(STRATA),)]
        Units in each stratum, and how many of them were drawn: their quotient is the inclusion probability.
    """

    drawn: Int64s
    stratum: Int64s
    sizes: Int64s
    counts: Int64s

    @property
    def probability(self) -> Float64s:
        """The inclusion probability of each drawn unit."""
        probability: Float64s = (self.counts / np.maximum(self.sizes, 1))[self.stratum[self.drawn]]
        return probability


def draw(population: Population, count: int, seed: int) -> Draw:
    """Draw units at random within strata, spread over the population's levels.

    Parameters
    ----------
    population : Population
    count : int
        All are drawn where there are no more.
    seed : int

    Returns
    -------
    Draw
        A greater ``count`` with the same seed gives the same units and more.
    """
    stratum = strata_of(population.confidence, population.suspected)
    sizes = np.bincount(stratum, minlength=len(STRATA))
    counts = allocation(sizes, expected_rates(population.confidence, stratum), count)
    place = spread_places(stratum, population.levels, uniforms(population.ids, seed, len(population.levels) + 1))
    drawn = [np.flatnonzero(stratum == h)[np.argsort(place[stratum == h])[:n]] for h, n in enumerate(counts)]
    return Draw(np.concatenate(drawn), stratum, sizes, counts)


def strata_of(confidence: Float64s, suspected: Bools) -> Int64s:
    """Return the stratum of each unit, an index of ``STRATA``.

    Parameters
    ----------
    confidence : ndarray of float64 [shape=(n,)]
    suspected : ndarray of bool [shape=(n,)]

    Returns
    -------
    ndarray of int64 [shape=(n,)]
    """
    by_confidence = np.select([np.isnan(confidence), confidence < SUSPECTED, confidence < SURE], [3, 0, 1], 2)
    return np.where(suspected, 0, by_confidence).astype(np.int64)


def expected_rates(confidence: Float64s, stratum: Int64s) -> Float64s:
    """Return the share of wrong labels to expect in each stratum, by our confidence.

    Parameters
    ----------
    confidence : ndarray of float64 [shape=(n,)]
    stratum : ndarray of int64 [shape=(n,)]

    Returns
    -------
    ndarray of float64 [shape=(len(STRATA),)]
        Neither so small nor so great that a confidence that is wrong could do much harm.
    """
    rates = np.full(len(STRATA), _UNKNOWN_RATE)
    for h in range(len(STRATA)):
        known = confidence[(stratum == h) & ~np.isnan(confidence)]
        if len(known):
            rates[h] = 1.0 - known.mean()
    rates[0] = max(rates[0], _SUSPECTED_RATE)
    clipped: Float64s = np.clip(rates, *_RATE_LIMITS)
    return clipped


def allocation(sizes: Int64s, rates: Float64s, count: int) -> Int64s:
    """Share a number of units out over strata so that the total's error is least (Neyman), never less for more.

    Each stratum first gets ``LEAST_PER_STRATUM``; the rest goes in proportion to size times standard deviation, one by
    one (Webster's divisors), so that a longer draw takes no unit back.

    Parameters
    ----------
    sizes : ndarray of int64 [shape=(k,)]
    rates : ndarray of float64 [shape=(k,)]
        Expected share of errors.
    count : int

    Returns
    -------
    ndarray of int64 [shape=(k,)]
    """
    counts = np.zeros(len(sizes), np.int64)
    worth = sizes * np.sqrt(rates * (1.0 - rates))
    for _ in range(min(count, int(sizes.sum()))):
        open_ = counts < sizes
        poor = open_ & (counts < LEAST_PER_STRATUM)
        claim = np.where(poor, 1.0 / (1 + counts), 0.0) if poor.any() else worth * open_ / (2 * counts + 1)
        counts[int(np.argmax(claim))] += 1
    return counts


def spread_places(stratum: Int64s, levels: Sequence[Int64s], chance: Float64s) -> Float64s:
    """Return an order in which any first part of a stratum takes from each group its share, to within one unit.

    From the finest level up, the units of a group are placed at equal distances with a random offset each, in the
    order that the level below gave them; so every unit is equally likely to be anywhere.

    Parameters
    ----------
    stratum : ndarray of int64 [shape=(n,)]
    levels : sequence of ndarray of int64 [shape=(n,)]
        The coarsest first.
    chance : ndarray of float64 [shape=(n, len(levels) + 1)]
        Uniform in 0 to 1.

    Returns
    -------
    ndarray of float64 [shape=(n,)]
        0 to 1.
    """
    place = chance[:, -1]
    for depth in reversed(range(len(levels))):
        keys = np.column_stack([stratum, *levels[: depth + 1]])
        _, group = np.unique(keys, axis=0, return_inverse=True)
        group = group.reshape(-1)
        rank, size = _ranks(group, place)
        place = (rank + chance[:, depth]) / size
    return place


def uniforms(ids: Sequence[str], seed: int, count: int) -> Float64s:
    """Return numbers between 0 and 1 that depend on the seed and on a name, the same everywhere.

    Parameters
    ----------
    ids : sequence of str
    seed : int
    count : int
        How many for each, at most eight.

    Returns
    -------
    ndarray of float64 [shape=(len(ids), count)]

    Examples
    --------
    >>> uniforms(["1759/41/73/310.500/1"], 7, 2).tolist()
    [[0.11585604116284831, 0.16002769685984652]]
    """
    digests = b"".join(hashlib.blake2b(f"{seed}/{one}".encode("utf-8", "surrogatepass")).digest() for one in ids)
    numbers = np.frombuffer(digests, ">u8").reshape(len(ids), 8)[:, :count]
    # 53 bits, so that each is a float of its own below 1.
    values: Float64s = (numbers >> np.uint64(11)).astype(np.float64) / 2**53
    return values


def _ranks(group: Int64s, place: Float64s) -> tuple[Int64s, Int64s]:
    """The rank of each unit in its group, and the group's size."""
    order = np.lexsort((place, group))
    sizes = np.bincount(group)
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - begins[group[order]]
    return rank, sizes[group]
