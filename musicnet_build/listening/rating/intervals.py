"""Error rates with intervals that hold where errors come in clusters, and where the sample is stratified.

In each stratum the errors of a cluster are beta-binomial: Jeffreys' prior on the mean, Beta(1, 2) on the intraclass
correlation. Strata are joined by the design's weights. In simulations this covers where a bootstrap over clusters and
Wilson's interval do not; compare Dean and Pagano (2015), "Evaluating confidence interval methods for binomial
proportions in clustered surveys".
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln

from musicnet_build._typing import Bools, Float64s, Int64s

DRAWS = 4000
LEVEL = 0.95
_MEANS = (np.arange(400) + 0.5) / 400
_CORRELATIONS = (np.arange(40) + 0.5) / 40
_PRIOR_MEAN = (0.5, 0.5)
_PRIOR_CORRELATION = (1.0, 2.0)


@dataclass(frozen=True)
class Judged:
    """Units that were judged.

    Attributes
    ----------
    stratum, cluster : ndarray of int64 [shape=(n,)]
    wrong, notes : ndarray of float64 [shape=(n,)]
        Wrong labels in each unit, and all of them: 0 or 1 of 1 where units are notes.
    weight : ndarray of float64 [shape=(n,)]
        How many units of the population each stands for.
    """

    stratum: Int64s
    cluster: Int64s
    wrong: Float64s
    notes: Float64s
    weight: Float64s

    def where(self, chosen: Bools) -> "Judged":
        """Return some of the units."""
        return Judged(
            self.stratum[chosen], self.cluster[chosen], self.wrong[chosen], self.notes[chosen], self.weight[chosen]
        )


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval.

    Attributes
    ----------
    value, low, high : float
        0 to 1; ``value`` is nan where nothing was judged.
    wrong : float
        As counted, without weights; the mean of several reviewers need not be whole.
    notes : int
    """

    value: float
    low: float
    high: float
    wrong: float
    notes: int

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


def rate_of(judged: Judged, unjudged: Float64s | None = None) -> tuple[Rate, Float64s]:
    """Estimate the share of wrong labels.

    Parameters
    ----------
    judged : Judged
    unjudged : ndarray of float64, optional
        Labels in strata of which nothing was judged: nothing is known of their errors.

    Returns
    -------
    rate : Rate
        The value is the design's (weighted) estimate.
    posterior : ndarray of float64 [shape=(DRAWS,)]
        Equally likely values, for what is computed from the rate.
    """
    strata = np.unique(judged.stratum)
    shares = [float((judged.weight * judged.notes)[judged.stratum == h].sum()) for h in strata]
    quantiles = [_posterior_quantiles(*_by_cluster(judged, h)) for h in strata]
    for size in () if unjudged is None else unjudged:
        shares.append(float(size))
        quantiles.append(_posterior_quantiles(np.zeros(0), np.zeros(0)))
    total = sum(shares)
    if not total:
        return Rate(float("nan"), 0.0, 1.0, 0, 0), np.linspace(0.0, 1.0, DRAWS)
    posterior = np.asarray(
        sum(w / total * _shuffled(q, i) for i, (w, q) in enumerate(zip(shares, quantiles, strict=True)))
    )
    known = float((judged.weight * judged.notes).sum())
    value = float((judged.weight * judged.wrong).sum()) / known if known else float("nan")
    return _rate(value, posterior, judged), posterior


def bootstrap(judged: Judged, seed: int = 0, draws: int = 2000) -> tuple[float, float]:
    """Return the percentile interval from drawing clusters again within strata: a check, which is often too narrow.

    Parameters
    ----------
    judged : Judged
    seed : int
    draws : int

    Returns
    -------
    low, high : float
    """
    if not len(judged.stratum):
        return 0.0, 1.0
    random = np.random.default_rng(seed)
    wrong = total = np.zeros(draws)
    for h in np.unique(judged.stratum):
        own = judged.where(judged.stratum == h)
        _, cluster = np.unique(own.cluster, return_inverse=True)
        sums = [np.bincount(cluster, own.weight * values) for values in (own.wrong, own.notes)]
        again = random.integers(len(sums[0]), size=(draws, len(sums[0])))
        wrong, total = wrong + sums[0][again].sum(axis=1), total + sums[1][again].sum(axis=1)
    low, high = np.quantile(wrong / np.maximum(total, 1e-12), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def share_of(wrong: int, count: int) -> Rate:
    """Return a plain share with Jeffreys' interval: of trials that are no sample of a population.

    Parameters
    ----------
    wrong, count : int

    Returns
    -------
    Rate
    """
    ones = np.arange(count)
    hits = (ones < wrong).astype(np.float64)
    return rate_of(Judged(np.zeros(count, np.int64), ones, hits, np.ones(count), np.ones(count)))[0]


def _rate(value: float, posterior: Float64s, judged: Judged) -> Rate:
    low, high = (float(q) for q in np.quantile(posterior, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    wrong, notes = float(judged.wrong.sum()), int(judged.notes.sum())
    if not np.isnan(value):
        # None or all of them wrong: then nothing speaks against 0 or 1.
        low = 0.0 if wrong == 0 else min(low, value)
        high = 1.0 if wrong == notes else max(high, value)
    return Rate(value, low, high, wrong, notes)


def _by_cluster(judged: Judged, stratum: int) -> tuple[Float64s, Float64s]:
    own = judged.stratum == stratum
    _, cluster = np.unique(judged.cluster[own], return_inverse=True)
    wrong: Float64s = np.bincount(cluster, judged.wrong[own]).astype(np.float64)
    notes: Float64s = np.bincount(cluster, judged.notes[own]).astype(np.float64)
    return wrong, notes


def _posterior_quantiles(wrong: Float64s, notes: Float64s) -> Float64s:
    """Equally likely values of a stratum's mean, in rising order."""
    # Clusters of one note say nothing of the correlation: they are counted together, and exactly.
    single = notes <= 1
    a, b = _PRIOR_MEAN[0] + wrong[single].sum(), _PRIOR_MEAN[1] + (notes - wrong)[single].sum()
    ranks = (np.arange(DRAWS) + 0.5) / DRAWS
    if not (notes > 1).any():
        from scipy.stats import beta

        exact: Float64s = beta.ppf(ranks, a, b)
        return exact
    return _grid_quantiles(wrong[~single], notes[~single], (float(a), float(b)), ranks)


def _grid_quantiles(wrong: Float64s, notes: Float64s, prior: tuple[float, float], ranks: Float64s) -> Float64s:
    # The mean on the arc sine's scale, where Jeffreys' prior is flat: fine near 0 and 1.
    mean = np.sin(np.pi / 2 * _MEANS) ** 2
    mean_, rho = mean[:, None], _CORRELATIONS[None, :]
    a, b = mean_ * (1 - rho) / rho, (1 - mean_) * (1 - rho) / rho
    log = (prior[0] - 0.5) * np.log(mean_) + (prior[1] - 0.5) * np.log1p(-mean_)
    log = log + (_PRIOR_CORRELATION[0] - 1) * np.log(rho) + (_PRIOR_CORRELATION[1] - 1) * np.log1p(-rho)
    log = log - len(wrong) * betaln(a, b)
    for (k, n), times in _counted(wrong, notes):
        log = log + times * betaln(a + k, b + n - k)
    weight = np.exp(log - log.max()).sum(axis=1)
    total = np.cumsum(weight) / weight.sum()
    edges = np.concatenate([[0.0], total])
    arc = np.interp(ranks, edges, np.linspace(0.0, 1.0, len(edges)))
    values: Float64s = np.sin(np.pi / 2 * arc) ** 2
    return values


def _counted(wrong: Float64s, notes: Float64s) -> list[tuple[tuple[float, float], int]]:
    pairs, times = np.unique(np.column_stack([wrong, notes]), axis=0, return_counts=True)
    return [((float(k), float(n)), int(count)) for (k, n), count in zip(pairs, times, strict=True)]


def _shuffled(values: Float64s, seed: int) -> Float64s:
    return np.random.default_rng(seed).permutation(values)
