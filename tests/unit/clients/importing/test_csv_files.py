"""CSV files: the encoding and the separator are found, or given, and results are written likewise."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.importing.csv_files import CsvFormat, read_csv, write_csv
from waybill.importing.errors import InvalidLayout, UnreadableFile

SPANISH = "número;dirección\r\n1;Peña, S.\r\n2;Ñandú €5\r\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SPANISH, "utf-8"),
        (SPANISH, "cp1252"),
        ("volumen;precio;œuvre\n2 m³;£5;cœur\n¿Qué?;½;\xd7\n", "cp1252"),
        ("numer;adres\nŁódź, Gdańsk;Żółć\nKraków;Świętochłowice\n", "cp1250"),
        ("numer;adres\n" + "1;Łódź Świętochłowice\n" * 4_000, "cp1250"),
        ("номер;адрес\n1;Москва, Тверская улица\n2;Санкт-Петербург\n", "cp1251"),
        ("伝票番号;お届け先\n1;東京都千代田区\n2;大阪府大阪市\n", "cp932"),
        ("运单号;收件地址\n1;北京市朝阳区\n2;上海市浦东新区\n", "gb18030"),
        ("plain;ascii\n1;2\n", "utf-8"),
        ("伝票番号;お届け先\n" + "1;東京都千代田区霞が関\n" * 9_999, "cp932"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str) -> None:
    found, rows = read_csv(text.encode(encoding))
    assert found.encoding == encoding
    assert next(iter(rows)) == text.splitlines()[0].split(";")


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("lat;lng\n19,43;-99,13\n20,1;-98,2\n", ";"),
        ("a|b|c\n1,5|x, y, z|3\n", "|"),
        ("a\tb\n1;2\tx\n", "\t"),
        ("Report, of; today\n\na;b;c\n1;2;3\n4;5;6\n", ";"),
        ('a;"b,c,d,e,f"\n1;2\n', ";"),
        ("sep=|\na;b|c\n1;2|3\n", "|"),
        ("alone\n1\n", ","),
    ],
)
def test_the_separator_is_found(text: str, separator: str) -> None:
    assert read_csv(text.encode())[0].separator == separator


def test_a_given_encoding_and_separator_hold() -> None:
    found, rows = read_csv("a;b,c\n".encode("utf-16-le"), encoding="utf-16-le", separator=",")
    assert (found.encoding, list(rows)) == ("utf-16-le", [["a;b", "c"]])
    with pytest.raises(UnreadableFile, match="byte 1 cannot be read"):
        read_csv(b"a\xff", encoding="UTF8")
    with pytest.raises(InvalidLayout, match="no encoding 'utf-9'"):
        read_csv(b"a", encoding="utf-9")


@pytest.mark.parametrize(
    ("content", "at"),
    [(SPANISH.encode() * 9 + b"Pe\xf1a;x\n", 443), (codecs.BOM_UTF16_LE + b"a\0b", 2)],
    ids=["one line of another encoding", "half a character"],
)
def test_a_damaged_text_is_never_misread(content: bytes, at: int) -> None:
    with pytest.raises(UnreadableFile, match=f"damaged: byte {at} cannot be read"):
        read_csv(content)


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfsep=;\r\na;b\r\n", SPANISH.encode("cp1252"), b"a\tb\n1\t2\n"]
)
def test_rows_are_written_as_they_were_read(content: bytes) -> None:
    found, rows = read_csv(content)
    assert write_csv(rows, found) == content


def test_a_character_that_the_encoding_lacks_is_escaped() -> None:
    assert write_csv([["Łódź"]], CsvFormat(encoding="cp1252", newline="\n")) == b"\\u0141\xf3d\\u017a\n"


@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2), min_size=1)
)
def test_any_table_survives_writing_and_reading(rows: list[list[str]]) -> None:
    form = CsvFormat(bom=True, separator=";")
    assert list(read_csv(write_csv(rows, form), separator=";")[1]) == rows


@given(st.binary())
def test_any_bytes_are_a_table_or_unreadable(content: bytes) -> None:
    try:
        list(read_csv(content)[1])
    except UnreadableFile:
        return
