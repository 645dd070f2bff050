"""Names of pitches: is 61 a C sharp or a D flat?

The first stage of ps13 (D. Meredith, "The ps13 pitch spelling algorithm", Journal of New Music Research 35(2), 2006):
each of the twelve pitch classes may be the tonic, and votes for the letter that the note has in its scale, as often as
it occurs around the note.
"""

import numpy as np

from musicnet_build._typing import Int64s

_BEFORE, _BEHIND = 10, 40
_LETTER_ABOVE_TONIC = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6])
_LETTERS = "ABCDEFG"
_LETTER_WITH_SHARPS = np.array([0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6])
_CHROMA_OF_LETTER = np.array([0, 2, 3, 5, 7, 8, 10])


def spelled(pitches: Int64s) -> list[tuple[str, int, int]]:
    """Name pitches by the music around them.

    Parameters
    ----------
    pitches : ndarray of int64 [shape=(n,)]
        MIDI numbers, in the order in which they begin.

    Returns
    -------
    list of (str, int, int)
        Letter, alteration in semitones (1 is a sharp), and octave: 60 is ``("C", 0, 4)``, and so is a ``B`` sharp
        (``("B", 1, 3)``) the same key.

    Examples
    --------
    >>> import numpy as np
    >>> spelled(np.array([62, 64, 66, 67, 69, 71, 73, 74]))[2]
    ('F', 1, 4)
    >>> spelled(np.array([58, 60, 62, 63, 65, 67, 69, 70]))[0]
    ('B', -1, 3)
    """
    if not len(pitches):
        return []
    chroma = (pitches - 9) % 12  # A is 0
    letters = _voted(chroma)
    alterations = _alterations(chroma, letters)
    # What would need three sharps or flats takes the name that needs one at most.
    letters = np.where(np.abs(alterations) > 2, _LETTER_WITH_SHARPS[chroma], letters)
    alterations = _alterations(chroma, letters)
    octaves = (pitches - alterations) // 12 - 1
    return [
        (_LETTERS[letter], alteration, octave)
        for letter, alteration, octave in zip(letters.tolist(), alterations.tolist(), octaves.tolist(), strict=True)
    ]


def _alterations(chroma: Int64s, letters: Int64s) -> Int64s:
    alterations: Int64s = (chroma - _CHROMA_OF_LETTER[letters] + 6) % 12 - 6
    return alterations


def _voted(chroma: Int64s) -> Int64s:
    tonics = np.arange(12)
    first_letter = [0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6][chroma[0]]
    letter_of_tonic = (first_letter - _LETTER_ABOVE_TONIC[(chroma[0] - tonics) % 12]) % 7
    votes = np.zeros((len(chroma), 7), dtype=np.int64)
    counts = np.concatenate([np.zeros((1, 12), np.int64), np.cumsum(np.eye(12, dtype=np.int64)[chroma], axis=0)])
    places = np.arange(len(chroma))
    around = counts[np.minimum(places + _BEHIND, len(chroma))] - counts[np.maximum(places - _BEFORE, 0)]
    for tonic in tonics:
        letter = (_LETTER_ABOVE_TONIC[(chroma - tonic) % 12] + letter_of_tonic[tonic]) % 7
        votes[places, letter] += around[:, tonic]
    elected: Int64s = votes.argmax(axis=1)
    return elected
