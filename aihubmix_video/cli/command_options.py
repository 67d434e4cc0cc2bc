"""What may be given on the command line, as values; cyclopts flattens each class into options of its own group."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import attrs
from cyclopts import Group, Parameter

from aihubmix_video.batch_file import COLUMNS
from aihubmix_video.batch_file.json_values import read_json
from aihubmix_video.capabilities import (  # cyclopts reads the annotations when the program runs
    BUILT_IN,
    CapabilitySet,
    Validate,
    load,
    plain_models,
)
from aihubmix_video.cli.open_batch_file import Format  # noqa: TC001  # as above
from aihubmix_video.cli.parse_duration import seconds_in
from aihubmix_video.cli.price_file import prices_in
from aihubmix_video.errors import ConfigurationError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cyclopts import Token

    from aihubmix_video.errors import Problem

__all__ = [
    "CAPS",
    "FILE",
    "OUTPUT_PATH",
    "WHOLE",
    "CapArguments",
    "CapOptions",
    "ContentOptions",
    "DecidingOptions",
    "FieldOptions",
    "FilesOptions",
    "KeepingOptions",
    "OutputOptions",
    "RowsOptions",
    "SandboxOptions",
    "SessionOptions",
    "Several",
    "key_option",
]

KEY_FILE_BYTES = 4096


def _duration(_: object, tokens: Sequence[Token]) -> float:
    return seconds_in(tokens[0].value)


def _media(_: object, tokens: Sequence[Token]) -> str | Path:
    """Return a reference: a URL as text; a file's path as a path, since the user typed it here."""
    text = tokens[0].value
    if text.startswith(("http://", "https://", "data:")):
        return text
    if not Path(text).exists():
        raise ValueError(f"{shown(text)} is not an http(s) or data URL, and no file of that name exists")
    return Path(text)


def _media_list(kind: object, tokens: Sequence[Token]) -> list[str | Path]:
    return [_media(kind, [token]) for token in tokens]


def _json(_: object, tokens: Sequence[Token]) -> object:
    problems: list[Problem] = []
    try:
        value = read_json(tokens[0].value, problems)
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON: {error.msg} at character {error.pos + 1}") from None
    if problems:
        raise ValueError(str(problems[0]))
    return value


def _whole(_: object, tokens: Sequence[Token]) -> int:
    text = tokens[0].value
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError(f"{shown(text)} is not a whole number")
    return int(text)


WHOLE = Parameter(converter=_whole, n_tokens=1)
Whole = Annotated[int | None, WHOLE]
Duration = Annotated[float | None, Parameter(converter=_duration, n_tokens=1)]
Media = Annotated[str | Path | None, Parameter(converter=_media, n_tokens=1)]
MediaList = Annotated[
    list[str | Path] | None, Parameter(converter=_media_list, negative_iterable=(), consume_multiple=False)
]
Json = Annotated[object, Parameter(converter=_json, n_tokens=1, accepts_keys=False, allow_leading_hyphen=True)]
Several = Annotated[
    list[str] | None,
    Parameter(negative_iterable=(), consume_multiple=False, allow_leading_hyphen=True),
]
Text = Annotated[str | None, Parameter(allow_leading_hyphen=True)]
OUTPUT_PATH = Parameter(name=("--output", "-o"))

FILE = Group("Rows and files", sort_key=0)
REQUEST = Group("What the model takes", sort_key=1)
GATEWAY = Group("Gateway and rate", sort_key=2)
SANDBOX = Group("Sandbox", sort_key=3)
OUTPUT = Group("Output", sort_key=4)
CAPS = Group("What may be bought", sort_key=0)
KEEPING = Group("Ledger", sort_key=0)
DECIDING = Group("Jobs that may have been bought", sort_key=0)


@Parameter(name="*", group=REQUEST)
@attrs.frozen(kw_only=True)
class FieldOptions:
    """The fields of a request beside prompt and model; `aihubmix-video models NAME` shows which a model takes.

    Attributes:
        seconds: Length of the video.
        size: Such as 1280x720, 720p (Veo) or 16:9 (Jimeng).
        input_reference: First frame or reference image: a file, or an http(s) or data URL (Sora, Veo, Wan i2v, Jimeng).
        image: First frame: a file, or an http(s) or data URL (Kling).
        image_tail: Last frame (Kling).
        image_list: Reference image; give it up to 4 times (kling-v1-6).
        aspect_ratio: 16:9, 9:16 or 1:1 (Kling).
        mode: std, pro or 4k (Kling).
        resolution: 480p or 720p (Seedance).
        ratio: Frame, such as adaptive or 16:9 (Seedance).
        negative_prompt: What to avoid (Veo, Kling).
        cfg_scale: How closely to keep to the prompt, 0 to 1 (Kling).
        sound: on or off (Kling omni).
        generate_audio: Make sound (Seedance).
        watermark: Mark the video (Seedance).
        seed: For repeatable results, where the vendor supports it.
        video_list: Reference videos, as JSON (Kling omni).
        content: References, as JSON (Seedance).
        extra_body: Further wire fields, as a JSON object.
    """

    seconds: Annotated[str | None, Parameter(alias="--duration", allow_leading_hyphen=True)] = None
    size: str | None = None
    input_reference: Media = None
    image: Media = None
    image_tail: Media = None
    image_list: MediaList = None
    aspect_ratio: str | None = None
    mode: str | None = None
    resolution: str | None = None
    ratio: str | None = None
    negative_prompt: Text = None
    cfg_scale: float | None = None
    sound: str | None = None
    generate_audio: Annotated[bool | None, Parameter(negative="--no-generate-audio")] = None
    watermark: Annotated[bool | None, Parameter(negative="--no-watermark")] = None
    seed: Whole = None
    video_list: Json = None
    content: Json = None
    extra_body: Json = None

    def given(self) -> dict[str, object]:
        """Return the fields that were set, by name."""
        return {
            field.name: value
            for field in attrs.fields(FieldOptions)
            if (value := getattr(self, field.name)) is not None
        }


@Parameter(name="*", group=REQUEST)
@attrs.frozen(kw_only=True)
class ContentOptions:
    """Seedance's references, each given as often as there are any; they stand behind those of --content.

    Attributes:
        reference_image: Reference picture: a file, or an http(s) or data URL (Seedance).
        reference_video: Reference video: an http(s) URL (Seedance).
        reference_audio: Background sound: an http(s) URL (Seedance).
    """

    reference_image: MediaList = None
    reference_video: Several = None
    reference_audio: Several = None

    def added_to(self, content: object) -> object:
        """Return ``content`` with these references behind it; as it is if there are none."""
        kinds = {"image": self.reference_image, "video": self.reference_video, "audio": self.reference_audio}
        items = [
            {"type": f"{kind}_url", f"{kind}_url": {"url": url}, "role": f"reference_{kind}"}
            for kind, urls in kinds.items()
            for url in urls or ()
        ]
        if not items or not (content is None or isinstance(content, list)):
            return content  # what is not a list is the check's to refuse
        return [*(content or ()), *items]


@Parameter(name="*", group=FILE)
@attrs.frozen(kw_only=True)
class RowsOptions:
    """How a batch file is read.

    Attributes:
        format: How the file is read. [default: by its suffix; jsonl on standard input]
        model: The model of rows that name none; every option under "What the model takes" works the same way.
        ignore_columns: Columns of your own, such as id,notes: they ask for nothing, and are kept in the sidecar.
    """

    format: Format | None = None
    model: Annotated[str | None, Parameter(name=("--model", "-m"))] = None
    ignore_columns: Several = None

    def ignored(self) -> frozenset[str]:
        """Return the columns that are the user's own.

        Raises:
            ConfigurationError: One of them is a field of requests, which would silently not be ordered.
        """
        names = [name.strip() for given in self.ignore_columns or () for name in given.split(",")]
        if taken := next((name for name in names if name in COLUMNS), None):
            raise ConfigurationError(
                f"--ignore-columns {taken}: is a field of requests; leave the column out of the file."
            )
        return frozenset(filter(None, names))

    def defaults(self, fields: FieldOptions) -> dict[str, object]:
        """Return the fields of rows that do not give them, by name."""
        return fields.given() | ({"model": self.model} if self.model is not None else {})


@Parameter(name="*", group=FILE)
@attrs.frozen(kw_only=True)
class FilesOptions:
    """Which rows become videos, and what their files are called.

    Attributes:
        name: Template of the file names, with {index} {id} {key} {model} {slug}. [default: {index:04d}-{slug}.mp4]
        overwrite: Replace existing files.
        skip_existing: Leave out rows whose file is there already.
        skip_invalid: Leave out rows with problems, instead of refusing the whole file.
        accept_changes: Buy rows that were changed since the batch was begun, instead of refusing the whole file.
        gallery: Write index.html into the folder: all videos of the batch on one page, to look at and to share.
    """

    name: str | None = None
    overwrite: bool = False
    skip_existing: bool = False
    skip_invalid: bool = False
    accept_changes: bool = False
    gallery: bool = False


@Parameter(name="*", group=GATEWAY)
@attrs.frozen(kw_only=True)
class SessionOptions:
    """How the gateway is reached, and how fast requests are sent.

    Attributes:
        rate: Requests per second over everything that is sent. [default: 10]
        rate_limit: Where the rate is shared with other processes: a file, for those of one host, or redis://host:6379/0. A number is the rate of this process alone.
        fallback_share: Share of the rate that this process takes for itself while a shared rate cannot be reached. [default: 0.1]
        burst: Requests that may leave back to back. [default: 1]
        poll_interval: Time between status checks of one job, on average: 15, 90s, 5min, 1h30. [default: 15s]
        max_in_flight: Jobs bought and not yet finished, at most. [default: 1000]
        max_downloads: Videos streaming at once, at most. [default: 8]
        deadline: How long to wait for one job; it lives on after that. [default: 30min]
        base_url: The gateway. [default: $AIHUBMIX_BASE_URL, or else https://aihubmix.com]
        api_key_file: File that holds the key, in place of $AIHUBMIX_API_KEY. Never the key itself: the command line is visible to all.
        new_key: The key is a new one of the account whose jobs the ledger holds.
        validate: What happens to models without a table here: passed with a warning, refused, or nothing is checked. [default: known]
        capabilities: TOML or JSON file with tables of your own for models, beside or in place of those here.
    """

    rate: float | None = None
    rate_limit: float | str | None = None
    fallback_share: float | None = None
    burst: Whole = None
    poll_interval: Duration = None
    max_in_flight: Whole = None
    max_downloads: Whole = None
    deadline: Duration = None
    base_url: str | None = None
    api_key_file: Path | None = None
    new_key: bool | None = None
    validate: Validate | None = None
    capabilities: Path | None = None

    def tables(self) -> CapabilitySet:
        """Return the tables of the models, with those of the user's own file.

        Raises:
            CapabilityFileError: The file cannot be used.
        """
        return BUILT_IN if self.capabilities is None else load(self.capabilities)

    def plain_models(self) -> list[Mapping[str, object]]:
        """Return the tables of the user's own file as plain data, for a gateway on this machine."""
        return plain_models(self.tables())

    def given(self, environment: Mapping[str, str], *, needs_key: bool) -> dict[str, object]:
        """Return the arguments of a session that were set.

        Raises:
            ConfigurationError: There is no key, or its file cannot be read.
        """
        if needs_key and self.api_key_file is None and "AIHUBMIX_API_KEY" not in environment:
            raise ConfigurationError(
                "no API key: set AIHUBMIX_API_KEY, or give --api-key-file FILE. --sandbox needs none."
            )
        fields = (field.name for field in attrs.fields(SessionOptions) if field.name != "api_key_file")
        found: dict[str, object] = {name: value for name in fields if (value := getattr(self, name)) is not None}
        if self.api_key_file is not None:
            found["api_key"] = _key_in(self.api_key_file)
        return found

    def arguments(self) -> list[str]:
        """Return the options that were set, as arguments that set them again."""
        set_ = {
            field.name: value
            for field in attrs.fields(SessionOptions)
            if field.name != "new_key"
            and (value := getattr(self, field.name)) is not None  # the ledger knows it by then
        }
        if "@" in str(set_.get("rate_limit", "")):
            del set_["rate_limit"]  # the password in it is not printed
        texts = {
            name: f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
            for name, value in set_.items()
        }
        return [part for name, text in texts.items() for part in (f"--{name.replace('_', '-')}", text)]


class CapArguments(TypedDict, total=False):
    """Arguments of a batch that cap it."""

    max_videos: int
    max_seconds: float
    max_spend: float
    prices: dict[str, float]
    moderation_retries: int
    keep_buying: bool


@Parameter(name="*", group=CAPS)
@attrs.frozen(kw_only=True)
class CapOptions:
    """What a batch may buy; the caps count all that its ledger has bought, in every run.

    Attributes:
        max_videos: Videos, at most.
        max_seconds: Length of all videos together, at most: 90, 90s, 5min, 1h30.
        max_spend: USD by list price, at most. Rows whose price is not known are refused then.
        prices: JSON file of your own prices in USD per second, such as {"wan2.6-t2v": 0.05}.
        moderation_retries: How often a row is bought again after moderation refused its finished video, up to 10. [default: 0]
        keep_buying: Go on when the first three creates are refused in the same words, which otherwise stops the batch.
    """

    max_videos: Whole = None
    max_seconds: Duration = None
    max_spend: float | None = None
    prices: Path | None = None
    moderation_retries: Whole = None
    keep_buying: bool = False

    def given(self) -> CapArguments:
        """Return the arguments of a batch that were set.

        Raises:
            ConfigurationError: The prices cannot be read.
        """
        found = CapArguments(prices=prices_in(self.prices)) if self.prices is not None else CapArguments()
        if self.max_videos is not None:
            found["max_videos"] = self.max_videos
        if self.max_seconds is not None:
            found["max_seconds"] = self.max_seconds
        if self.max_spend is not None:
            found["max_spend"] = self.max_spend
        if self.moderation_retries is not None:
            found["moderation_retries"] = self.moderation_retries
        if self.keep_buying:
            found["keep_buying"] = True
        return found


@Parameter(name="*", group=KEEPING)
@attrs.frozen(kw_only=True)
class KeepingOptions:
    """What is kept beside the videos.

    Attributes:
        ledger: File of the durable record of all jobs. [default: of a batch, .aihubmix-video.db in the output folder; of generate, none]
        sidecar: Write NAME.json beside each video: its request, id, times and hash.
    """

    ledger: Path | None = None
    sidecar: bool = False


@Parameter(name="*", group=DECIDING)
@attrs.frozen(kw_only=True)
class DecidingOptions:
    """What is to become of jobs that may have been bought.

    Attributes:
        attach: KEY=ID: the job is in the console under this id; the ID alone if only one is uncertain.
        resubmit: KEY, or all: it is not in the console; buy it.
        drop: KEY, or all: it is not wanted any more.
    """

    attach: Several = None
    resubmit: Several = None
    drop: Several = None


@Parameter(name="*", group=SANDBOX)
@attrs.frozen(kw_only=True)
class SandboxOptions:
    """Whether everything happens on this machine.

    Attributes:
        sandbox: Use a gateway of its own on this machine: no key, no cost, real MP4 files of test pictures.
        speed: How much faster than the vendors that gateway generates. [default: 60]
    """

    sandbox: bool = False
    speed: float | None = None


@Parameter(name="*", group=OUTPUT)
@attrs.frozen(kw_only=True)
class OutputOptions:
    """What is printed, and how.

    Attributes:
        json: One JSON object per line on standard output.
        quiet: No progress; results and errors only.
        debug: Tracebacks of errors.
    """

    json: bool = False
    quiet: bool = False
    debug: bool = False


def _key_in(path: Path) -> str:
    try:
        with path.open("rb") as file:
            key = file.read(KEY_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"--api-key-file {shown(str(path))} cannot be read: {error.strerror}.") from None
    if len(key) > KEY_FILE_BYTES:
        raise ConfigurationError(f"--api-key-file {shown(str(path))} holds more than a key.")
    return key.decode(errors="replace").strip()


def key_option(arguments: Sequence[str]) -> str | None:
    """Return the name of an option that gives the key itself, never its value; None if there is none."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    names = (argument.partition("=")[0].lower().replace("_", "-") for argument in options)
    return next((name for name in names if name in {"--api-key", "--apikey", "--key"}), None)
