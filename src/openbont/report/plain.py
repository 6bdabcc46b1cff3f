"""Any value of the house as plain data, for JSON."""

import dataclasses
import math
from typing import Any


def plain(thing: Any) -> Any:
    """Names as keys, six significant digits, no NaN."""
    if isinstance(thing, float):
        return float(f"{thing:.6g}") if math.isfinite(thing) else None
    if thing is None or isinstance(thing, (bool, int, str)):
        return thing
    if isinstance(thing, dict):
        return {str(key): plain(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [plain(item) for item in thing]
    if hasattr(thing, "model_dump"):
        return plain(thing.model_dump(mode="json"))
    if dataclasses.is_dataclass(thing):
        return {f.name: plain(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
    return plain(thing.tolist()) if hasattr(thing, "tolist") else str(thing)
