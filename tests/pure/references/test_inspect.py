from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import Problem
from aihubmix_video.references.inspect import MAX_BYTES, MAX_URL, PICTURES, Medium, is_unread, read_medium, read_url
from tests.pure.pictures import as_object, data_url, jpeg, png, webp


def read(value: object) -> Medium | Problem:
    """Read a value as the field ``image``."""
    return read_medium("image", value)


@pytest.mark.parametrize(
    ("mime", "data"),
    [
        ("image/png", png(640, 480)),
        ("image/jpeg", jpeg(640, 480)),
        ("image/webp", webp(640, 480)),
        ("image/webp", webp(640, 480, kind=b"VP8L")),
        ("image/webp", webp(640, 480, kind=b"VP8X")),
    ],
    ids=["png", "jpeg", "webp-lossy", "webp-lossless", "webp-extended"],
)
def test_a_picture_is_known_by_its_content(mime: str, data: bytes):
    """Files are named wrongly; what a vendor refuses is the content."""
    expected = Medium(mime=mime, data=data, width=640, height=480)

    assert expected == read(data)
    assert expected == read(data_url(data, mime))
    assert expected == read(as_object(data, mime))


def test_a_bare_base64_picture_is_taken():
    """The official page asks Kling's users for base64 without a prefix."""
    assert png() == getattr(read(as_object(png())["data"]), "data", None)


@pytest.mark.parametrize("space", ["\n", "\r\n", " ", "\t"])
def test_base64_with_line_breaks_is_the_same_picture(space: str):
    """As mail programs and `base64` write it: 76 characters on a line."""
    plain = as_object(png() + bytes(200))["data"]
    broken = space.join(plain[at : at + 76] for at in range(0, len(plain), 76)) + space

    for value in (broken, f"data:image/png;base64,{broken}", {"mime_type": "image/png", "data": broken}):
        assert png() + bytes(200) == getattr(read(value), "data", value)


def test_a_data_url_inside_the_object_form_is_taken():
    """Both are documented, and programs nest them; two declarations must be the same."""
    nested = {"mime_type": "image/png", "data": data_url(png())}

    assert png() == getattr(read(nested), "data", None)
    assert "is declared image/jpeg" in getattr(read(nested | {"mime_type": "image/jpeg"}), "message", "")


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_form_of_openai_is_taken(wrapped: bool):  # noqa: FBT001 - a parameter of the test
    """Its users bring their requests as they are."""

    def given(url: object) -> dict[str, object]:
        return {"image_url": {"url": url} if wrapped else url}

    assert Medium(url="https://example.com/a.png") == read(given("https://example.com/a.png"))
    assert png() == getattr(read(given(data_url(png()))), "data", None)
    assert "must be an http(s) or data URL" in getattr(read(given("cat.png")), "message", "")
    assert "as a string" in getattr(read(given(7)), "message", "")


def test_jpg_is_an_alias_of_jpeg():
    """Many tools write image/jpg, which means nothing else."""
    assert "image/jpeg" == getattr(read(data_url(jpeg(), "image/jpg")), "mime", None)


@given(width=st.integers(1, 7000), height=st.integers(1, 7000))
def test_every_size_is_read_from_the_header(width: int, height: int):
    """A wrong size would have a good image refused for sora-2."""
    for data in (png(width, height), jpeg(width, height), webp(width, height, kind=b"VP8X")):
        medium = read(data)

        assert isinstance(medium, Medium)
        assert (width, height) == (medium.width, medium.height)


@given(st.sampled_from([png(), jpeg(), webp(), webp(kind=b"VP8X")]), st.integers(1, 20))
def test_a_truncated_picture_is_refused(data: bytes, missing: int):
    """Row 37: half a file must not be paid for."""
    assert isinstance(read(data[:-missing]), Problem)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBP"]))
def test_any_bytes_are_judged_without_an_exception(data: bytes, magic: bytes):
    """A reference may hold anything."""
    read(magic + data)


@given(st.text(max_size=200), st.sampled_from(["", "data:image/png;base64,", "http://", "https://["]))
def test_any_text_is_judged_without_an_exception(text: str, start: str):
    """See above."""
    read(start + text)


def test_endless_small_segments_cost_little():
    """A crafted JPEG must not keep a thread busy."""
    assert isinstance(read(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 1_000_000), Problem)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        pytest.param("pass pathlib.Path to read a file", "/etc/passwd", id="34-path"),
        pytest.param("pass pathlib.Path to read a file", "cat.png", id="34-relative"),
        pytest.param("pass pathlib.Path to read a file", "file:///etc/passwd", id="34-file-url"),
        pytest.param("pass pathlib.Path to read a file", "~/cat.png", id="34-home"),
        pytest.param("pass pathlib.Path to read a file", r"\\server\share\cat.png", id="34-unc"),
        pytest.param("pass pathlib.Path to read a file", r"C:\cat.png", id="34-drive"),
        pytest.param("pass pathlib.Path to read a file", "", id="34-empty"),
        pytest.param("looks like HTML", b"\n <!DOCTYPE html><html>", id="37-html"),
        pytest.param("looks like SVG", b"<svg xmlns=...>", id="37-svg"),
        pytest.param("XML or SVG", b"<?xml version='1.0'?><svg>", id="37-svg-xml"),
        pytest.param("looks like GIF", b"GIF89a", id="37-gif"),
        pytest.param("looks like WebM", b"\x1a\x45\xdf\xa3", id="37-webm"),
        pytest.param("looks like MP4", b"\0\0\0\x18ftypisom", id="37-mp4"),
        pytest.param("is truncated or damaged", png()[:30], id="37-truncated"),
        pytest.param("is empty", b"", id="37-empty"),
        pytest.param("pass a URL instead", b"\x89PNG" + bytes(MAX_BYTES), id="38-large"),
        pytest.param("pass a URL instead", "data:image/png;base64," + "A" * (MAX_BYTES * 3 // 2), id="38-large-url"),
        pytest.param("30000x30000", png(30_000, 30_000), id="38-bomb"),
        pytest.param("0x9", png(0, 9), id="38-no-width"),
        pytest.param("written data:<mime>;base64", "data:image/png,AAAA", id="39-no-base64"),
        pytest.param("written data:<mime>;base64", "data:image/png;base64", id="39-no-comma"),
        pytest.param("its content is image/png", data_url(png(), "image/jpeg"), id="39-wrong-mime"),
        pytest.param("wrong padding", data_url(png()).rstrip("=")[:-1], id="39-padding"),
        pytest.param("bad character at position 4", "data:image/png;base64,iVBO*Rw0", id="39-asterisk"),
        pytest.param("'text/html'", "data:text/html;base64,PGI+", id="39-html"),
        pytest.param("no MIME type", "data:;base64,AAAA", id="39-no-mime"),
        pytest.param("required", {"mime_type": "image/png"}, id="40-no-data"),
        pytest.param("unknown key", {**as_object(png()), "name": "x"}, id="40-extra-key"),
        pytest.param("not base64", {"mime_type": "image/png", "data": "é"}, id="40-not-base64"),
        pytest.param("not a supported picture type", {"mime_type": "text/html", "data": "PGI+"}, id="40-mime"),
        pytest.param("ftp: URLs are not supported", "ftp://host/cat.png", id="41-ftp"),
        pytest.param("javascript: URLs are not supported", "javascript:alert(1)", id="41-javascript"),
        pytest.param("not hold a user name or password", "http://user:secret@host/", id="41-credentials"),
        pytest.param("does not name a host", "https:///cat.png", id="41-no-host"),
        pytest.param("position 14", "https://host/a b.png", id="41-space"),
        pytest.param("control character", "https://host/a\r\nb", id="41-control"),
        pytest.param("backslash", "https://good.example\\@evil.example/", id="41-backslash"),
        pytest.param(f"may have {MAX_URL}", "https://host/" + "a" * 10_000, id="41-long"),
        pytest.param("in ASCII", "https://exаmple.com/", id="41-homograph"),  # noqa: RUF001 - a Cyrillic letter
        pytest.param("not a valid URL", "https://host:99999/", id="41-port"),
        pytest.param("not a valid URL", "https://[::1/", id="41-bracket"),
        pytest.param("must be an http(s) or data URL", 5, id="43-int"),
    ],
)
def test_a_bad_reference_is_refused_and_the_reason_said(said: str, value: object):
    """Rows 34 to 41: a reference the vendor cannot use must cost nothing."""
    problem = read(value)

    assert isinstance(problem, Problem)
    assert said in problem.message
    assert problem.field.startswith("image")


def test_a_password_in_a_url_is_not_repeated():
    """Messages are logged and kept in ledgers."""
    assert "secret" not in str(read("http://user:secret@host/"))


def test_file_content_is_not_repeated():
    """A report of a bad row must not carry megabytes, nor someone's picture."""
    assert len(str(read({"mime_type": "image/png", "data": "QUJD" * 10_000}))) < 400


@pytest.mark.parametrize("url", ["https://example.com/a.png", "http://127.0.0.1:8080/a?b=c#d", "HTTPS://Example.com"])
def test_http_urls_pass_as_they_are(url: str):
    """The gateway fetches them, we do not."""
    assert Medium(url=url) == read(url)
    assert url == Medium(url=url).as_url


def test_video_and_audio_must_be_http_urls():
    """Their data would be far over every limit."""
    assert Medium(url="https://example.com/a.mp4") == read_url("video_url", "https://example.com/a.mp4")
    assert isinstance(read_url("video_url", data_url(png())), Problem)
    assert isinstance(read_url("video_url", None), Problem)


def test_only_paths_and_files_are_unread():
    """A string is never a file."""
    assert is_unread(Path("cat.png"))
    assert is_unread(io.BytesIO(b""))
    assert not is_unread("cat.png")
    assert not is_unread(b"cat.png")


def test_the_pictures_taken_are_named_in_the_problem():
    """Whoever passed a GIF wants to know what to convert it to."""
    assert PICTURES == getattr(read(b"GIF89a"), "allowed", None)
