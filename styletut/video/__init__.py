"""Moving pictures: frames that are painted alike.

Where a frame shows what the one before showed, its painting is to be that
painting, moved: Ruder, Dosovitskiy, Brox, "Artistic style transfer for
videos" (GCPR 2016), for the optimizer; a network is trained for it.
"""

from styletut.video.flow import optical_flow, reliable, warped
from styletut.video.painting import instant_frames, stylize_frames
from styletut.video.scenes import Frame, flicker, scene
from styletut.video.temporal import TemporalObjective, temporal_loss

__all__ = [
    "Frame",
    "TemporalObjective",
    "flicker",
    "instant_frames",
    "optical_flow",
    "reliable",
    "scene",
    "stylize_frames",
    "temporal_loss",
    "warped",
]
