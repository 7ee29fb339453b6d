import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.json_text import MalformedJSON, loads_strict, plain


def refusal(raw: bytes) -> str:
    with pytest.raises(MalformedJSON) as caught:
        loads_strict(raw)
    assert caught.value.code == "MALFORMED_JSON"
    return caught.value.message


def test_an_ordinary_body_is_read_with_exact_decimals():
    value = loads_strict('{"amount": 30.50, "n": 7, "tên": ["é", null, true], "o": {}}'.encode())
    assert value == {"amount": Decimal("30.50"), "n": 7, "tên": ["é", None, True], "o": {}}
    assert str(value["amount"]) == "30.50"
    assert type(value["n"]) is int


def test_a_tenth_is_exactly_a_tenth():
    assert loads_strict(b"[0.1, 0.2]") == [Decimal("0.1"), Decimal("0.2")]
    assert sum(loads_strict(b"[0.1, 0.2]")) == Decimal("0.3")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[1,]", b"{'a':1}", b"1 2", b"\xef\xbb\xbf{}", b'"\x01"', b"01", b"+1", b".5"]
)
def test_wrong_syntax_is_refused_with_the_place(raw):
    assert "line 1 column" in refusal(raw)


@pytest.mark.parametrize("raw", [b'"\xff"', b'"\xed\xa0\x80"', '"é"'.encode("latin-1"), '{"a":1}'.encode("utf-16")])
def test_what_is_not_utf8_is_refused(raw):
    assert refusal(raw) == "The body is not UTF-8 text"


def test_the_largest_body_passes_and_one_byte_more_does_not():
    body = b'"' + b"a" * (64 * 1024 - 2) + b'"'
    assert len(loads_strict(body)) == 65534
    assert refusal(body + b" ") == "The body is larger than 64 KB"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_thirty_two_levels_pass_and_thirty_three_do_not(opening, closing):
    loads_strict(opening * 32 + b"1" + closing * 32)
    assert refusal(opening * 33 + b"1" + closing * 33) == "The body is nested more than 32 levels deep"


@pytest.mark.parametrize(
    "bomb",
    [b"[" * 65000, b'{"a":' * 13000, b"[" * 30000 + b"]" * 30000, b'["\\"",' + b"[" * 60000],
    ids=["open", "objects", "closed", "behind an escaped quote"],
)
def test_a_bomb_is_a_refusal_and_not_a_recursion_error(bomb):
    assert refusal(bomb) == "The body is nested more than 32 levels deep"


def test_brackets_inside_texts_are_not_levels():
    text = "[{" * 500 + '\\"' + "]["
    assert loads_strict(b'["' + text.encode() + b'"]') == [text.replace('\\"', '"')]


def test_wide_is_not_deep():
    assert len(loads_strict(b"[" + b",".join([b"[]"] * 20000) + b"]")) == 20000


def test_an_unclosed_text_full_of_escaped_quotes_is_walked_once():
    started = time.perf_counter()
    refusal(b"[" * 33 + b'"' + b'\\"' * 32000)
    refusal(b"[" * 20 + b"{" * 12 + b'"' + b'\\"' * 32000 + b"[")
    assert time.perf_counter() - started < 1


def test_a_thousand_members_pass_and_one_more_does_not():
    members = [f'"k{n}":{n}' for n in range(1001)]
    assert len(loads_strict(("{" + ",".join(members[:1000]) + "}").encode())) == 1000
    assert refusal(("{" + ",".join(members) + "}").encode()) == "An object has more than 1000 members"


@pytest.mark.parametrize("raw", [b'{"amount":1,"amount":999}', b'[{"a":{"b":1,"b":1}}]', b'{"a":1,"\\u0061":2}'])
def test_the_same_key_twice_is_refused_however_it_is_spelled(raw):
    assert refusal(raw) == "An object has the same key twice"


@pytest.mark.parametrize(
    "raw", [b"NaN", b"[Infinity]", b'{"a":-Infinity}', b"1e400", b"-1e308000", b"[1e999999999999]"]
)
def test_a_number_that_is_not_finite_is_refused(raw):
    assert "number" in refusal(raw)


def test_a_number_whose_printing_would_fill_the_memory_is_refused():
    refusal(b"1e-999999999")
    refusal(b"0e999999999")
    refusal(b"0." + b"1" * 63)
    assert loads_strict(b"1e-308") == Decimal("1e-308")


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_the_outermost_64_bit_integers_pass_and_their_neighbours_do_not(number):
    assert loads_strict(str(number).encode()) == number
    neighbour = number + (1 if number > 0 else -1)
    assert refusal(str(neighbour).encode()) == "An integer does not fit in 64 bits"
    assert refusal(b"9" * 60000) == "An integer does not fit in 64 bits"


@pytest.mark.parametrize(
    "raw",
    [
        b'"\\u0000"',
        b'"\\ud800"',
        b'["a\\udc00"]',
        b'{"\\ud800":1}',
        b'{"a":[{"b":"\\ud83dx"}]}',
        b'{"a\\u0000":1}',
    ],
)
def test_a_nul_or_half_a_surrogate_pair_is_refused_wherever_it_stands(raw):
    assert refusal(raw) == "A text holds a NUL or half of a surrogate pair"


def test_a_whole_surrogate_pair_and_other_escapes_pass():
    assert loads_strict(b'"\\ud83d\\ude00 \\u00e9 \\n \\\\u0000"') == "😀 é \n \\u0000"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text('ab"\\[{é', max_size=5), inner, max_size=5),
    max_leaves=20,
)


@given(json_values, st.booleans())
def test_what_an_honest_encoder_writes_is_read_back(value, ascii_only):
    assert loads_strict(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200) | st.text('[]{}":,\\u0d8e1.-tnI', max_size=200).map(str.encode))
def test_any_bytes_give_a_value_or_a_refusal(raw):
    try:
        loads_strict(raw)
    except MalformedJSON:
        return
    json.loads(raw)


def test_free_form_json_gets_its_floats_back():
    value = plain(loads_strict(b'{"a": [1.5, 2, {"b": 0.1}], "c": "x"}'))
    assert value == {"a": [1.5, 2, {"b": 0.1}], "c": "x"}
    assert type(value["a"][0]) is float
    assert type(value["a"][1]) is int
