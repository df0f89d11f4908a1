"""What processes answer differently from engines, or one engine from the other, and why that stays."""

DIFFERENCES: dict[str, str] = {}
