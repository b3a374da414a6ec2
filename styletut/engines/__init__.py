"""Ways to one gradient: by hand, by autograd, as a CUDA graph, in tiles."""

from styletut.engines.autograd import Autograd
from styletut.engines.backward import Backward
from styletut.engines.choice import choose_engine
from styletut.engines.cuda_graph import CudaGraph
from styletut.engines.interface import WHOLE, Engine, LayerLoss, Place
from styletut.engines.tiles import Tiles

__all__ = [
    "WHOLE",
    "Autograd",
    "Backward",
    "CudaGraph",
    "Engine",
    "LayerLoss",
    "Place",
    "Tiles",
    "choose_engine",
]
