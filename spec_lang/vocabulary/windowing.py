"""Windows over a time series: the fields shared by the sources that have one."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class WindowedSeries(BaseModel):
    """Windows over a time series.

    A sample is `window` points. Its target is the value `horizon` points after its last point (`predict=last`), the
    values `horizon` points after each of them (`predict=every`), or the values of all points up to `horizon` after the
    last, as one vector (`predict=all`). Windows start `stride` points apart; the default is 1, or with `predict=every`
    the window, so that windows do not overlap. Splits are cut in order of time.
    """

    model_config = ConfigDict(defer_build=True)

    window: int | None = Field(None, gt=0, description="points in a sample")
    horizon: int = Field(1, gt=0, description="the distance of the target from the last point, in points")
    predict: Literal["last", "every", "all"] = Field(
        "last",
        description="the target: the point `horizon` after the last of a window, or after each, or all up to `horizon`",
    )
    stride: int | None = Field(None, gt=0, description="points between the starts of consecutive windows")

    @field_validator("horizon", "predict", "stride")
    @classmethod
    def _of_windows(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("window", 1) is None and value not in (1, "last", None):
            raise ValueError("needs a window: add window=10, for example")
        return value

    @property
    def windowed(self) -> bool:
        """Whether the series is cut into windows."""
        return self.window is not None

    @property
    def steps_ahead(self) -> int:
        """As `horizon` says."""
        return self.horizon

    @property
    def points_apart(self) -> int:
        """As `stride` and `predict` say."""
        return self.stride or (self.window if self.predict == "every" and self.window else 1)

    @property
    def vector(self) -> bool:
        """As `predict` says."""
        return self.predict == "all"
