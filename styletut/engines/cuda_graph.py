"""A computation on a GPU, recorded once and replayed as one CUDA graph.

An evaluation of the objective is some two hundred small programs for the
GPU. Starting them one by one takes the host longer than the GPU needs to
run them; a recorded graph is started as a whole.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Function = Callable[[Tensor], Sequence[Tensor]]

_WARM_UP = 2
"""Runs before the recording, in which torch and its libraries settle what
they will need; a copy from the host is not allowed later."""


class CudaGraph:
    """A function of one tensor, recorded for tensors of one shape.

    It must do the same whatever the numbers are: no look at a value, no copy
    from or to the host.

    Args:
        function: What is recorded, a tensor -> several.
        example: A tensor of the shape, dtype and device to come.
    """

    def __init__(self, function: Function, example: Tensor) -> None:
        self._input = example.clone()
        with torch.cuda.device(example.device):
            _warm_up(function, self._input)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._outputs = list(function(self._input))

    def __call__(self, x: Tensor) -> list[Tensor]:
        """Return what the function returns for x, as copies to keep."""
        self._input.copy_(x)
        self._graph.replay()
        numbers = [each for each in self._outputs if each.ndim == 0]
        # one small copy for all of them
        copies = iter(torch.stack(numbers).unbind()) if numbers else iter(())
        return [
            next(copies) if each.ndim == 0 else each.clone()
            for each in self._outputs
        ]


def _warm_up(function: Function, x: Tensor) -> None:
    """Run a function a few times beside the current stream."""
    here, beside = torch.cuda.current_stream(), torch.cuda.Stream()
    beside.wait_stream(here)
    with torch.cuda.stream(beside):
        for _ in range(_WARM_UP):
            function(x)
    here.wait_stream(beside)
