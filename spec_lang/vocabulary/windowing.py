"""A series cut into windows: what the sources that have one share."""

from typing import Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator


class WindowedSeries(BaseModel):
    """Windows over a series in the order of time.

    A sample is `window` points. What it is to become is the value `horizon` points behind its last (`predict=last`), or
    the values so far behind each of them (`predict=every`). Windows begin `stride` points apart: one by default, or a
    window, so that they do not overlap, where every point predicts. Splits are cut in the order of time.
    """

    window: int | None = Field(None, gt=0, description="points of a sample")
    horizon: int = Field(1, gt=0, description="how many points ahead the prediction lies")
    predict: Literal["last", "every"] = Field(
        "last", description="whether the last point of a window predicts, or each of them"
    )
    stride: int | None = Field(None, gt=0, description="points from the beginning of one window to the next one's")

    @field_validator("horizon", "predict", "stride")
    @classmethod
    def _of_windows(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("window", 1) is None and value not in (1, "last", None):
            raise ValueError("is for a series cut into windows: write window=10, for one, too")
        return value

    def apart(self) -> int:
        """Points from the beginning of a window to the next one's."""
        return self.stride or (self.window if self.predict == "every" and self.window else 1)
