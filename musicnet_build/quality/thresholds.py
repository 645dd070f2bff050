"""Every threshold that decides what is said about a recording; docs/precision.md says where each comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """What decides a verdict.

    Attributes
    ----------
    wrong_score : float
        Reject where the distance along the path is more than this share of what it is with the score shifted by a
        semitone: a right score fits much better than its neighbours.
    wrong_passage : float
        The same for a passage of ``passage_s``, which is then suspicious.
    transposed : float
        Reject where the score, shifted, has less than this share of the distance that it has unshifted.
    transposed_passage : float
        The same for a passage.
    contrast : float
        A passage that does not fit is noise or silence if its spectrum has less; see ``score_match.ScoreMatch``.
    passage_s : float
        Length of the windows that are looked at for noise and other music.
    reject_mean, review_mean : float
        Least mean confidence.
    reject_unsure, review_unsure : float
        Largest share of notes that are not confident.
    tempo_spread : float
        Review where the local tempo varies more: standard deviation of its logarithm to base 2, in windows of 2 s.
    hurry : float
        Review where 1 s of the score, at its mean tempo, pass so many times as fast.
    standstill : float
        Review where the score passes so many times as slowly, while as much happens as in 3 s of the rest.
    uncertain_score : float
        Review where a larger share of the score's notes was lost in reading, or has a guessed end.
    span_s : float
        Suspicious spans shorter than this are not reported.
    """

    wrong_score: float = 0.88
    wrong_passage: float = 0.92
    transposed: float = 0.95
    transposed_passage: float = 0.9
    contrast: float = 0.1
    passage_s: float = 8.0
    reject_mean: float = 0.62
    review_mean: float = 0.72
    reject_unsure: float = 0.30
    review_unsure: float = 0.15
    tempo_spread: float = 0.8
    hurry: float = 4.0
    standstill: float = 6.0
    uncertain_score: float = 0.05
    span_s: float = 2.0


THRESHOLDS = Thresholds()
