"""Ways to the gradient of losses at the pixels: by hand, autograd, tiles.

`choose_engine` takes the fastest; a picture is cut into tiles where
`memory.fitting` says so. What `Backward` does on a GPU can be recorded as a
`CudaGraph`.
"""

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
