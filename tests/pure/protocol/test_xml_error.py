"""Errors of object stores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.protocol.error_body import read_envelope
from aihubmix_video.protocol.response import Response
from aihubmix_video.protocol.xml_error import xml_error

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@given(
    st.lists(
        st.sampled_from(["<Error>", "<Code>", "</Code>", "<Message>", "</Message>", "<![CDATA[", "]]>", "&amp;", "x"])
    )
)
def test_any_text_gives_an_error_or_nothing(parts: list[str]):
    """It is a stranger's text; nothing is parsed that could refuse."""
    found = xml_error("".join(parts))

    assert found is None or all(found.values())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
            "Request has expired (AccessDenied)",
        ),
        (HEAD + "<Error>\n  <Code>NoSuchKey</Code>\n  <Message>gone</Message>\n</Error>", "gone (NoSuchKey)"),
        ("\ufeff" + HEAD + "<Error><Code>ExpiredToken</Code></Error>", "the gateway gave no reason (ExpiredToken)"),
        ('<Error xmlns="x"><Message lang="en">a &lt;b&gt; &amp; c</Message></Error>', "a <b> & c"),
        ("<Error><Message><![CDATA[a <b>]]></Message></Error>", "a <b>"),
        ("<s:Error><s:Code>Forbidden</s:Code><s:Message>no</s:Message></s:Error>", "no (Forbidden)"),
        (
            "<ErrorResponse><Error><Code>Throttling</Code><Message>slow</Message></Error></ErrorResponse>",
            "slow (Throttling)",
        ),
        ("<Error><Message>\x1b[31mred\x00</Message></Error>", "red"),
    ],
)
def test_the_stores_own_words_are_read(text: str, line: str):
    """That the request has expired tells the user to ask again; "an HTML page without a title" tells nothing."""
    said = read_envelope(Response(status=403, body=text.encode()))

    assert (line, "xml") == (said.line, said.form)


def test_the_request_id_is_kept_for_support():
    """The store's support asks for it as the gateway's does."""
    body = b"<Error><Code>AccessDenied</Code><RequestId>4442587FB7D0A2F9</RequestId></Error>"
    assert "4442587FB7D0A2F9" == read_envelope(Response(status=403, body=body)).request_id


def test_entities_of_a_documents_own_are_not_expanded():
    """A billion laughs stay one word, and no file of this machine is read."""
    text = (
        '<!DOCTYPE Error [<!ENTITY a "ha"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
        "<Error><Code>X</Code><Message>&a;&b;</Message></Error>"
    )
    assert xml_error(text) is None
    assert {"message": "&a;&b;"} == xml_error("<Error><Message>&a;&b;</Message></Error>")


@pytest.mark.parametrize(
    "text",
    ["", "<html><Code>x</Code></html>", "<svg><Message>x</Message></svg>", "<Error>", '{"Code": "x"}', "<Errors/>"],
)
def test_other_documents_are_not_errors_of_a_store(text: str):
    """An HTML page stays a page."""
    assert xml_error(text) is None


def test_a_long_document_costs_a_bounded_time():
    """Megabytes of brackets must not hold up every other job."""
    assert xml_error("<Error>" + "<Code>" * 1_000_000) is None
