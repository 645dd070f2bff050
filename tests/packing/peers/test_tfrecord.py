"""Records and messages against vectors of the standards; any reader of TFRecord would refuse a wrong checksum."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicnet_build.packing.peers.tfrecord import Message, crc32c, example, record


@pytest.mark.parametrize(
    ("data", "crc"),
    # RFC 3720, appendix B.4.
    [
        (b"", 0),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_the_checksum_is_that_of_the_standard(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


def test_numbers_are_written_seven_bits_a_byte() -> None:
    # The examples of the specification of protocol buffers.
    assert Message().number(1, 150).data == bytes.fromhex("089601")
    assert Message().text(2, "testing").data == bytes.fromhex("120774657374696e67")
    assert Message().double(3, 1.5).data == b"\x19" + struct.pack("<d", 1.5)


def test_what_is_the_default_is_not_written() -> None:
    assert Message().number(1, 0).double(2, 0.0).text(3, "").each(4, []).data == b""


@given(st.integers(0, 2**63 - 1))
def test_any_number_comes_back(value: int) -> None:
    data = Message().number(1, value).data[1:]
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(data)) == value
    assert all(byte & 0x80 for byte in data[:-1])


def test_a_record_is_framed_by_its_length_and_two_checksums() -> None:
    data = record(Message(b"music"))
    (length,) = struct.unpack("<Q", data[:8])
    assert (length, data[12:17], len(data)) == (5, b"music", 21)
    # As TensorFlow 2.21 writes it: tf.io.TFRecordWriter("x").write(b"music").
    assert data == bytes.fromhex("0500000000000000eab2043e6d757369632bf9e336")


def test_features_are_in_the_order_of_their_names_whatever_order_they_come_in() -> None:
    samples = np.float32([0.5, -0.25])
    assert example({"a": b"x", "b": samples}) == example({"b": samples, "a": b"x"})
    assert samples.tobytes() in example({"b": samples}).data
