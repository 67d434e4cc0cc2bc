"""The command ``models``: what each model takes, as tables for people and as JSON."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import TYPE_CHECKING

from rich.text import Text

from aihubmix_video.capabilities import Audio, Capability, CapabilitySet, Mode
from aihubmix_video.capabilities.field_rules import closest
from aihubmix_video.cli.command_options import OutputOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.table_format import new_table
from aihubmix_video.cli.text_format import pixels_text
from aihubmix_video.errors import ConfigurationError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.table import Table

    from aihubmix_video.capabilities.field_rules import ImageRule, Option, Size

__all__ = ["model_object", "models"]

HOUR = 3600
LETTERS = {Mode.TEXT: "T", Mode.IMAGE: "I", Mode.MULTI_IMAGE: "M", Mode.OMNI: "O"}
LEGEND = (
    "from: T text, I an image, M several images, O omni (video, images, sound). * is needed. `models NAME` tells all."
)
SOUND = {Audio.NONE: "", Audio.ALWAYS: "yes", Audio.SWITCHED: "choice"}


def models(
    name: str | None = None,
    /,
    *,
    live: bool = False,
    prices_to: Path | None = None,
    session: SessionOptions = SessionOptions(),
    how: OutputOptions = OutputOptions(),
) -> int:
    """Show what each model takes and gives.

    Args:
        name: One model, for everything that is known of it.
        live: Ask the gateway which models it lists, and show what differs from the tables. It needs no key.
        prices_to: With --live: write the gateway's prices per second to this new file, for --prices.
        session: With --live: how the gateway is reached. --capabilities counts here without it, too.
        how: What is printed.
    """
    if prices_to is not None and not live:
        raise ConfigurationError("--prices-to goes with --live.")
    tables = session.tables()
    if live:
        from aihubmix_video.cli.live_models import print_live_models  # noqa: PLC0415  # it loads the session
        from aihubmix_video.cli.runner import run_command  # noqa: PLC0415  # as above

        screen = Screen.of_options(how)
        return run_command(screen, print_live_models(session, screen, prices_to, name))
    if name is None:
        print_models(tables, Screen.of_options(how))
    else:
        print_model(name, tables, Screen.of_options(how))
    return ExitCode.DONE


def print_models(tables: CapabilitySet, screen: Screen) -> None:
    """Print what every model takes."""
    if screen.json:
        screen.objects(map(model_object, tables))
    else:
        screen.table(models_table(tables))
        screen.say(LEGEND)


def print_model(name: str, tables: CapabilitySet, screen: Screen) -> None:
    """Print everything known of one model.

    Raises:
        InvalidRequest: It has no table.
    """
    capability = tables.find(name)
    if capability is None:
        known = tables.names
        nearest = closest(name, known)
        hint = f"did you mean {nearest}?" if nearest else "`aihubmix-video models` lists those that have"
        raise InvalidRequest.of("model", name, f"has no table here; {hint}", allowed=known)
    if screen.json:
        screen.objects([model_object(capability)])
        return
    for number, part in enumerate(model_page(capability)):
        if number > 1:
            screen.table("")
        screen.table(part)


def models_table(capabilities: Iterable[Capability]) -> Table:
    """Return one line per model under a heading per family, readable at 100 columns."""
    table = new_table("model", "from", "seconds", "picture", "references", "sound", "del", gap=1)
    table.columns[0].no_wrap, table.columns[3].min_width = True, 21
    heading = ""
    for each in capabilities:
        if heading != (heading := f"{each.vendor} {each.family}"):
            table.add_row("")
            table.add_row(Text(heading, "cyan"))
        table.add_row(
            Text(each.model, "bold"),
            " ".join(LETTERS[mode] for mode in each.modes),
            Text(_lengths(each), justify="left"),
            _pictures(each),
            " ".join(_references(each)),
            SOUND[each.audio],
            "yes" if each.can_delete else "no",
        )
    return table


def _lengths(capability: Capability) -> str:
    lengths = capability.seconds
    first, last = lengths.allowed[0], lengths.allowed[-1]
    whole = len(lengths.allowed) > 3 and lengths.allowed == tuple(range(first, last + 1))
    words = f"{first}-{last}" if whole else " ".join(map(str, lengths.allowed))
    return f"{words} auto" if lengths.auto else words


def _pictures(capability: Capability) -> str:
    """Return by which field a picture's size is chosen, and what the choices are."""
    tiers = dict.fromkeys(size.tier for size in capability.sizes if size.tier)
    labels = [name for name in capability.size_names if "x" not in name]
    if capability.tier_field is not None:
        return f"{capability.tier_field}: {' '.join(tiers)}"
    return f"size: {' '.join(labels or tiers) or f'{len(capability.sizes)} in pixels'}"


def _references(capability: Capability) -> Iterator[str]:
    yield from (rule.field + ("*" if rule.required else "") for rule in capability.images)
    yield from (["video_list"] if capability.refer_types else [])
    yield from (["content"] if capability.content else [])


def model_page(capability: Capability) -> Iterator[Table | Text]:
    """Yield the parts of the page of one model."""
    yield Text.assemble((capability.model, "bold"), f"  {capability.vendor} {capability.family}")
    yield Text(capability.description)
    yield _facts(capability)
    yield _sizes(capability)
    yield Text(f"Source: {capability.source}", "dim")
    for field, source in capability.sources.items():
        yield Text(f"{field}: {source}", "dim")


def _facts(capability: Capability) -> Table:
    table = new_table("field", "what it may be", "default")
    table.add_row("seconds", capability.seconds.words, str(capability.seconds.default))
    for name, option in capability.options.items():
        table.add_row(name, _option(option), "" if option.default is None else str(option.default))
    for rule in capability.images:
        table.add_row(rule.field, "; ".join(_rule(rule)), "")
    if capability.refer_types:
        table.add_row("video_list", f"reference videos; refer_type {' or '.join(capability.refer_types)}", "")
    for item in capability.content:
        table.add_row("content", f"{item.type}: up to {item.maximum}; role {', '.join(item.roles)}", "")
    if capability.audio is not Audio.SWITCHED:
        table.add_row("(sound)", capability.audio.value, "")
    table.add_row("(delete)", "yes" if capability.can_delete else "the gateway answers 501", "")
    table.add_row("(link kept)", f"{capability.link_lifetime // HOUR} h after completion", "")
    return table


def _option(option: Option) -> str:
    doubts = (f"{value}: {reason}" for value, reason in option.doubtful.items())
    return "; ".join(filter(None, (option.words, option.note, *doubts)))


def _rule(rule: ImageRule) -> Iterator[str]:
    yield f"1 to {rule.maximum} images" if rule.maximum else "an image"
    if rule.required:
        yield "needed"
    if rule.needs:
        yield f"only with {rule.needs}"
    if rule.seconds:
        yield f"seconds must then be {rule.seconds}"
    if rule.match_size:
        yield "of the very size of the video"
    if rule.note:
        yield rule.note


def _sizes(capability: Capability) -> Table:
    table = new_table("asked for by", "clarity", "frame", "real pixels")
    for size in capability.sizes:
        default = capability.default_size in size.names and capability.default_size is not None
        table.add_row(
            _asked_by(capability, size),
            size.tier,
            size.ratio,
            pixels_text((size.width, size.height)),
            style="bold" if default else "",
        )
    return table


def _asked_by(capability: Capability, size: Size) -> str:
    ways = [f"size {' or '.join(size.names)}"] if size.names else []
    if capability.tier_field is not None:
        ways.insert(0, f"{capability.tier_field} {size.tier}, {capability.ratio_field} {size.ratio}")
    return ", or ".join(ways) + (f" ({size.doubt})" if size.doubt else "")


def model_object(capability: Capability) -> dict[str, object]:
    """Return a model's table as ``--json`` prints it."""
    return {
        "model": capability.model,
        "vendor": capability.vendor,
        "family": capability.family,
        "modes": [str(mode) for mode in capability.modes],
        "seconds": list(capability.seconds.legal),
        "default_seconds": capability.seconds.default,
        "sizes": [
            {
                "names": list(each.names),
                "width": each.width,
                "height": each.height,
                "tier": each.tier,
                "ratio": each.ratio,
            }
            for each in capability.sizes
        ],
        "default_size": capability.default_size,
        "options": {
            name: {"allowed": list(each.allowed) or None, "words": each.words, "default": each.default}
            for name, each in capability.options.items()
        },
        "references": [name.rstrip("*") for name in _references(capability)],
        "fields": list(capability.fields),
        "audio": str(capability.audio),
        "delete": capability.can_delete,
        "link_lifetime": capability.link_lifetime,
        "source": capability.source,
        "sources": dict(capability.sources),
    }
