"""DNS: the names of AWS are this machine, and no other name is known."""

import struct

import pytest

from integration_tests.rehearsal.names import HEADER, NXDOMAIN, A, question, response

AAAA = 28
QUERY = HEADER.pack(7, 0x0100, 1, 0, 0, 0) + b"\x03STS\x09amazonaws\x03com\x00" + struct.pack("!2H", A, 1)


def test_a_question_is_read() -> None:
    assert question(QUERY + b"additional") == ("sts.amazonaws.com", A, len(QUERY))


@pytest.mark.parametrize(
    ("kind", "known", "answers", "code"),
    [(A, True, 1, 0), (AAAA, True, 0, 0), (A, False, 0, NXDOMAIN)],
)
def test_a_response_has_an_address_for_a_known_name(kind: int, known: bool, answers: int, code: int) -> None:
    made = response(QUERY, kind, known=known)
    number, flags, questions, found, _, _ = HEADER.unpack_from(made)
    assert (number, questions, found, flags & 0xF) == (7, 1, answers, code)
    assert made.endswith(b"\x7f\x00\x00\x01" if answers else QUERY[HEADER.size :])
