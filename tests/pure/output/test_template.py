from __future__ import annotations

from contextlib import suppress
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.output.template import (
    FIELDS,
    NAME_BYTES,
    RESERVED,
    Template,
    collision_key,
    is_plain_name,
    slug,
)

# Lone surrogates, controls and every script: a gateway's id and a batch file's key may be anything.
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=400)
HOSTILE = st.sampled_from(
    (
        *(
            "..",
            "../../x",
            "/abs",
            "..\\x",
            "C:\\x",
            "con",
            "COM1",
            "com¹.txt",
            "nul.",
            "a\0b",
            "a\nb",
            "\u202egpj.exe",
        ),
        *("{0.__class__}", "%s", "$HOME", "", " ", ".", "...", "-rf", "~root", "x. ", "🎬" * 200, "中" * 300, "\ud800"),
    )
)
TEXTS = ANY_TEXT | HOSTILE
# In each of these the index is set apart by something that is no digit.
TEMPLATES = st.sampled_from(
    ["{index}.mp4", "{index:04d}-{slug}.mp4", "{index}_{key}_{id}.mp4", "{index}", "{index:04d} {slug:.20} {model}."]
)


def rendered(template: str, **values: object) -> PurePath:
    """Render a template with harmless values but for those given."""
    given = {"index": 7, "id": "vid", "key": "k1", "model": "sora-2", "slug": "a-cat"} | values
    return Template.parse(template).render(**given)


def refused(template: object) -> InvalidRequest:
    """Give the error with which a template is refused."""
    with pytest.raises(InvalidRequest) as caught:
        Template.parse(template)
    assert "to" == caught.value.field
    return caught.value


def test_every_field_is_filled_in():
    """The contract: a template may contain these five fields."""
    assert PurePath("out/0007-a-cat-sora-2-k1-vid.mp4") == rendered("out/{index:04d}-{slug}-{model}-{key}-{id}.mp4")


def test_a_path_object_is_a_template_too():
    """Whoever builds paths with pathlib writes the fields into them just the same."""
    assert PurePath("/videos/7.mp4") == Template.parse(PurePath("/videos/{index}.mp4")).render(
        index=7, id=None, key="k", model="m", slug="s"
    )


def test_doubled_braces_are_braces():
    """A file name may contain braces of its own."""
    assert PurePath("{7}.mp4") == rendered("{{{index}}}.mp4")


def test_the_users_own_folders_are_left_alone():
    """Only values are distrusted; the user may well write to a parent folder or one named like a device."""
    assert PurePath("../con/. x /7.mp4") == rendered("../con/. x /{index}.mp4")


@pytest.mark.parametrize(
    ("template", "nearest"),
    [
        ("{idx}.mp4", "{id}"),
        ("{indx}.mp4", "{index}"),
        ("{slag}.mp4", "{slug}"),
        ("{}.mp4", None),
        ("{0}.mp4", None),
        ("{prompt}.mp4", None),
    ],
)
def test_an_unknown_field_is_refused_with_the_closest(template: str, nearest: str | None):
    """Found out before anything is paid, and with the list of what would do."""
    error = refused(template)

    assert tuple(f"{{{name}}}" for name in FIELDS) == error.allowed
    assert nearest == error.nearest


@pytest.mark.parametrize(
    "template",
    ["{0.__class__}", "{index.__class__}", "{key[0]}", "{index.real}", "{slug.__init__.__globals__[x]}", "{key!r}"],
)
def test_a_field_gives_no_access_to_anything_else(template: str):
    """A template may come from a request; Python's own format would let it read attributes of our objects."""
    refused(template)


@pytest.mark.parametrize(
    "template",
    ["{index:>99999999999}", "{index:099d}", "{index:_>4}", "{index:x}", "{index:{key}}", "{slug:.99}", "{id:.8}"],
)
def test_a_format_is_a_short_width_and_nothing_else(template: str):
    """A width of 99999999999 is a memory of 100 GB; a cut id is no longer unique."""
    refused(template)


@pytest.mark.parametrize("template", ["{index", "index}.mp4", "{index!}", "{index:04d}}"])
def test_unbalanced_braces_are_refused(template: str):
    """The parser's own ValueError is not for users."""
    assert "braces" in str(refused(template))


@pytest.mark.parametrize("template", ["", " ", "out/", "/", ".", "..", "out/..", "a\0.mp4", "a\n.mp4", "\ud800.mp4"])
def test_what_is_no_file_name_is_refused(template: str):
    """A folder, a control character or nothing at all cannot be a video's name."""
    refused(template)


@pytest.mark.parametrize("template", [None, 7, b"x.mp4", ["x.mp4"]])
def test_what_is_no_path_is_refused(template: object):
    """The error is ours and names the type, whatever was passed."""
    assert type(template).__name__ in str(refused(template))


def test_a_tilde_is_not_taken_for_a_folder_name():
    """A folder really named ~ is a trap for the next rm; the shell or pathlib expands it."""
    refused("~/videos/{index}.mp4")


def test_a_name_that_cannot_fit_is_refused_before_anything_is_paid():
    """With 224 bytes of its own the template leaves nothing for a temp suffix."""
    refused("x" * 224)
    refused("x" * 200 + "{index}{key}{slug}.mp4")
    assert "x" * 223 == str(rendered("x" * 223))


@pytest.mark.parametrize(("template", "unique"), [("{slug}.mp4", False), ("a.mp4", False), ("{model}", False)])
def test_many_jobs_need_a_field_that_tells_them_apart(template: str, unique: bool):  # noqa: FBT001  # a table's column
    """Otherwise a thousand paid videos compete for one file."""
    assert unique == Template.parse(template).unique
    with pytest.raises(InvalidRequest, match="index"):
        Template.parse(template).require_unique()


@pytest.mark.parametrize("field", ["index", "id", "key"])
def test_any_of_three_fields_tells_jobs_apart(field: str):
    """The index within a batch, the gateway's id, or the local key."""
    template = Template.parse(f"{{{field}}}.mp4")

    template.require_unique()
    assert template.unique


def test_the_suggestion_for_many_jobs_is_itself_a_good_template():
    """An error that suggests something must suggest something that works."""
    with pytest.raises(InvalidRequest) as caught:
        Template.parse("out/cat.mp4").require_unique()

    assert Template.parse(str(caught.value.nearest)).unique


def test_a_template_says_whether_it_needs_the_id():
    """The id is known only after the purchase, so such a path cannot be checked before it."""
    template = Template.parse("{id}.mp4")

    assert template.needs_id
    assert not Template.parse("{index}.mp4").needs_id
    with pytest.raises(ValueError, match="only after"):
        template.render(index=0, id=None, key="k", model="m", slug="s")


def test_long_ids_that_begin_alike_stay_apart():
    """Veo's ids are some 247 characters and share their first 30 and more; a plain cut would make them one."""
    ids = ["eyJtb2RlbCI6" + "x" * 230 + f"{n:05}" for n in range(50)]
    names = {rendered("{id}.mp4", id=one).name for one in ids}

    assert 50 == len(names)
    assert all(name.endswith(f"{n:05}.mp4") for n, name in enumerate(sorted(names, key=lambda name: name[-9:])))


def test_a_long_value_leaves_the_short_ones_and_the_extension_whole():
    """The index and the extension are what people look for in a listing."""
    name = rendered("{index:04d}-{slug}-{id}.mp4", slug="b" * 300, id="i" * 300).name

    assert name.startswith("0007-b")
    assert name.endswith("i.mp4")
    assert NAME_BYTES - 11 >= len(name) > NAME_BYTES - 15


@pytest.mark.parametrize("name", ["CON", "nul", "Com1", "lpt9", "COM²", "conin$", "aux.txt"])
def test_a_value_never_names_a_windows_device(name: str):
    """On Windows, con.mp4 is the console (Microsoft, Naming Files, Paths, and Namespaces)."""
    for template in ("{key}.mp4", "{key}", "{key} .mp4"):
        assert rendered(template, key=name).name.partition(".")[0].rstrip().upper() not in RESERVED


def test_values_that_are_cleaned_to_the_same_text_stay_apart():
    """Two ids that differ in a slash only are two paid videos."""
    names = {rendered("{key}", key=key) for key in ("a/b", "a:b", "a_b", "a/b ", "CON", "_CON", "con.", "é", "e\u0301")}

    assert 9 == len(names)


def test_emoji_and_chinese_are_kept():
    """They are legal names everywhere, and cut only between characters."""
    family = "👨‍👩‍👧"

    assert f"{family}-猫弹钢琴.mp4" == rendered("{key}-{slug}.mp4", key=family, slug=slug("猫弹钢琴")).name
    assert rendered("{key}", key="中" * 100).name.startswith("中" * 60)


@given(template=TEMPLATES, values=st.fixed_dictionaries(dict.fromkeys(["id", "key", "model", "slug"], TEXTS)))
def test_a_rendered_path_is_one_legal_name_in_the_templates_folder(template: str, values: dict[str, str]):
    """No value, however made, may leave the folder or break a file system."""
    path = rendered(f"some/folder/{template}", **values)

    assert PurePath("some/folder") == path.parent
    assert_legal(path.name)
    for flavour in (PurePosixPath, PureWindowsPath):
        assert (path.name,) == flavour(path.name).parts


def assert_legal(name: str) -> None:
    """Check that every common system takes *name*, and shows it as what it is."""
    assert 0 < len(name.encode()) <= NAME_BYTES
    assert not set(name) & set('<>:"/\\|?*')
    assert name == name.rstrip(" .")
    assert not name.startswith(("-", "~", ".", " "))
    assert not {"Cc", "Cs"} & {category(character) for character in name}
    assert not set(name) & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert name.partition(".")[0].rstrip().upper() not in RESERVED


@given(folder=st.sampled_from(["{model}", "{slug}", "{key}"]), value=TEXTS)
def test_a_value_that_names_a_folder_is_one_legal_name_too(folder: str, value: str):
    """One folder per model is a sensible template; the value still adds exactly one level."""
    path = rendered(f"out/{folder}/{{index}}.mp4", model=value, slug=value, key=value)

    assert 3 == len(path.parts)
    assert ("out", "7.mp4") == (path.parts[0], path.parts[2])
    assert_legal(path.parts[1])


@given(
    template=TEMPLATES,
    values=st.fixed_dictionaries(dict.fromkeys(["id", "key", "model", "slug"], TEXTS)),
    indices=st.lists(st.integers(0, 10**12), min_size=2, max_size=6, unique=True),
)
def test_distinct_indices_give_distinct_paths(template: str, values: dict[str, str], indices: list[int]):
    """Two jobs never get one path, also where a file system ignores case."""
    keys = {collision_key(rendered(template, index=index, **values)) for index in indices}

    assert len(indices) == len(keys)


@given(keys=st.lists(TEXTS, min_size=2, max_size=6, unique=True))
def test_distinct_keys_give_distinct_paths(keys: list[str]):
    """Whatever is cleaned or cut away is kept in the hash."""
    assert len(keys) == len({rendered("x-{key}.mp4", key=key) for key in keys})


@given(to=st.text(max_size=60) | st.text("{}index:04d!.[]/", max_size=30))
def test_reading_a_template_raises_nothing_but_our_error(to: str):
    """A template is user input like any other."""
    with suppress(InvalidRequest):
        Template.parse(to).render(index=0, id="i", key="k", model="m", slug="s")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("A cat plays jazz piano", "a-cat-plays-jazz-piano"),
        ("The cat's   PIANO, no. 5!", "the-cats-piano-no-5"),
        ("一只猫在弹爵士钢琴,温暖的灯光", "一只猫在弹爵士钢琴-温暖的灯光"),
        ("हिन्दी में", "हिन्दी-में"),
        ("\uff26\uff35\uff2c\uff2c\u3000width", "full-width"),
        ("🎬🎥", "video"),
        ("", "video"),
        ("../../etc/passwd", "etc-passwd"),
        ("word " * 40, "word-word-word-word-word-word-word-word"),
        ("x" * 90, "x" * 40),
    ],
)
def test_a_slug_is_the_prompts_first_words(prompt: str, expected: str):
    """Short and legible in a listing; whole words, and never empty."""
    assert expected == slug(prompt)


@given(TEXTS)
def test_a_slug_is_short_legal_and_steady(prompt: str):
    """It goes into names and must need no cleaning there."""
    text = slug(prompt)

    assert 0 < len(text) <= 80  # a normal form may need several characters for one
    assert text == slug(text)
    if text.upper() not in RESERVED:
        assert is_plain_name(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("out/A.mp4", "out/a.MP4"), ("é.mp4", "e\u0301.mp4"), ("É.mp4", "e\u0301.mp4"), ("a//b", "./a/b")],
)
def test_paths_that_some_file_system_takes_for_one_collide(one: str, other: str):
    """Windows and macOS ignore case, macOS also the Unicode normal form."""
    assert collision_key(one) == collision_key(PurePath(other))


def test_paths_that_differ_do_not_collide():
    """Otherwise a job would be refused for nothing."""
    assert collision_key("out/a.mp4") != collision_key("out/b.mp4")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "CON", "a.", " a", "x" * 224, "a\tb", "\u202ea", "aux.mp4"])
def test_a_name_that_would_be_changed_is_not_plain(name: str):
    """Row files may give names of their own; those are taken as they are or not at all."""
    assert not is_plain_name(name)
    assert is_plain_name("Première scène – 01.mp4")
