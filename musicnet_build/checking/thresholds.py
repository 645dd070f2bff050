"""Every threshold that decides what is said about labels; docs/checking.md says where each comes from."""

from dataclasses import dataclass

from musicnet_build.quality.thresholds import THRESHOLDS as ALIGNMENT


@dataclass(frozen=True)
class CheckThresholds:
    """What decides errata and verdict.

    Attributes
    ----------
    offset_s : float
        A constant offset of less says more of the instruments than of the labels.
    drift_ppm : float
        The same for a drift.
    drift_span_s, drift_apart_s : float
        Over labels of a shorter span, a drift counts where it sets the first and the last this far apart.
    sure : float
        Errata of single notes are at least this probable.
    belongs : float
        Reject where labels stand out from the same pitches at other times by less, in standard deviations.
    passage_nats : float
        Log likelihood ratio that a passage of other music must have.
    passage_mean_nats : float
        The same for each of its labels: repeated notes have less, 0.6 to 1, other music 1.7 to 3.
    passage_s : float
        Shorter passages are not looked for.
    transposed : float
        How much more must be heard of all labels transposed than as they are, as a mean logit.
    duplicate_s : float
        Labels of one pitch and instrument that begin within this are one note.
    outside_s : float
        Labels may begin this long before the first sound or behind the last.
    review_errata : float
        Share of labels that begin outside the sound, or are missing or surplus against the score, from which on a
        person should look.
    reject_mean, review_mean : float
        Least mean confidence.
    reject_unsure, review_unsure : float
        Largest share of labels with a confidence under a half.
    """

    offset_s: float = 0.02
    drift_ppm: float = 15.0
    drift_span_s: float = 30.0
    drift_apart_s: float = 0.005
    sure: float = 0.5
    belongs: float = 1.3
    passage_nats: float = 12.0
    passage_mean_nats: float = 1.3
    passage_s: float = 3.0
    transposed: float = 0.5
    duplicate_s: float = 0.01
    outside_s: float = 0.1
    review_errata: float = 0.05
    reject_mean: float = ALIGNMENT.reject_mean
    review_mean: float = ALIGNMENT.review_mean
    reject_unsure: float = ALIGNMENT.reject_unsure
    review_unsure: float = ALIGNMENT.review_unsure


CHECK_THRESHOLDS = CheckThresholds()
