"""The repository of a new shop: a few questions, or a preset, and Copier's copy of `templates/starter`."""

from __future__ import annotations

import sys
from pathlib import Path

from checkoutgen import __version__
from checkoutgen.errors import UsageError, printable, quoted
from checkoutgen.spec import standard
from checkoutgen.spec.layers import PRESETS
from checkoutgen.spec.resolve import market_facts

TEMPLATE = Path(__file__).parent / "templates" / "starter"


def presets() -> list[str]:
    """Names for `--preset` and for `extends: preset:NAME`."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def legal_texts() -> dict[str, dict[str, str]]:
    """The standard legal texts that each preset names: {preset: {page: text}}, in the first language of its market."""
    import yaml

    texts = {}
    for name in presets():
        preset = yaml.safe_load((PRESETS / f"{name}.yaml").read_text(encoding="utf-8"))
        language = (market_facts(next(iter(preset["markets"]))) or {})["languages"][0]
        pages = {page: body["file"].removeprefix(standard.PREFIX) for page, body in preset["legal"]["pages"].items()}
        texts[name] = {page: standard.read(text, language) or "" for page, text in pages.items()}
    return texts


def start(folder: Path, preset: str | None) -> Path:
    """Writes the starter into an empty or new folder and returns the path of its spec. Asks where no preset answers."""
    if preset is not None and preset not in presets():
        raise UsageError(f"there is no preset {quoted(preset)}; there are: {', '.join(presets())}")
    if preset is None and not sys.stdin.isatty():
        raise UsageError(f"nobody is there to answer questions; choose a preset with --preset: {', '.join(presets())}")
    shown = printable(str(folder))
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{shown} is a file; name a new or an empty folder")
    if folder.is_dir() and any(path.name != ".git" for path in folder.iterdir()):
        raise UsageError(f"{shown} is not empty; name a new or an empty folder")
    _copy(folder, {} if preset is None else {"preset": preset})
    return folder / "checkout.yaml"


def _copy(folder: Path, answers: dict[str, str]) -> None:
    from copier import Settings, run_copy  # takes half a second to import
    from copier.errors import CopierAnswersInterrupt, CopierError

    try:
        # Settings() keeps the user's own Copier settings out, so that everybody gets the same files.
        data = {**answers, "texts": legal_texts(), "version": __version__}
        run_copy(str(TEMPLATE), folder, data=data, defaults=bool(answers), quiet=True, settings=Settings())
    except CopierAnswersInterrupt:
        raise KeyboardInterrupt from None
    except (CopierError, OSError) as error:
        raise UsageError(f"{printable(str(folder))}: the starter could not be written: {quoted(str(error))}") from None
