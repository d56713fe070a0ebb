"""Numbers with units, as people write them."""


def in_bytes(count: float) -> str:
    """Return a number of bytes with a decimal unit: 1.2 GB."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.0f} PB"
