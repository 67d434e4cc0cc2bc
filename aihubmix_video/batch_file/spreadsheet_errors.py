"""Error values of spreadsheet programs, which are exported as if they were the cell's text."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_spreadsheet_error"]

_ERROR: Final = re.compile(
    r"#[¡¿]?[A-ZÀ-Þ][A-ZÀ-Þ0-9/_]*[!?]"  # #REF! #VALUE! #DIV/0! #NAME? #SPILL! #BEZUG! #VALEUR! #¡REF! #¿NOMBRE?
    r"|#N/A|#NV|#N/D|#N/V|#GETTING_DATA"  # "not available" in the languages that have no mark behind it; still loading
    r"|Err:5[0-9]{2}"  # LibreOffice
)


def is_spreadsheet_error(text: str) -> bool:
    """Return whether a cell's text is a formula's error, in any of the languages in which programs write them."""
    return text.startswith(("#", "Err:")) and _ERROR.fullmatch(text) is not None
