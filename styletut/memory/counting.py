"""How much memory a computation needs, counted without doing it.

On torch's device "meta" tensors have sizes and no numbers. There a
computation takes milliseconds, and what it would hold at each moment can be
counted. What a library takes inside one operation is not seen.
"""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Live(TorchDispatchMode):
    """Counts the bytes of all tensors that were made and still live."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known: weakref.WeakKeyDictionary[Any, int] = (
            weakref.WeakKeyDictionary()
        )

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        before = {id(s) for s in _storages((args, kwargs))}
        result = func(*args, **(kwargs or {}))
        for storage in _storages(result):
            if id(storage) not in before and storage not in self._known:
                self._begin(storage)
        self.peak = max(self.peak, self.now)
        return result

    def _begin(self, storage: Any) -> None:
        size = storage.nbytes()
        self._known[storage] = size
        self.now += size
        weakref.finalize(storage, self._end, size)

    def _end(self, size: int) -> None:
        self.now -= size


def peak_bytes(function: Callable[[], object]) -> int:
    """Return the most bytes that are live at once while a function runs.

    Counted are tensors that it makes; what exists before is not.
    """
    with _Live() as live:
        function()
    return live.peak


def saved_bytes(function: Callable[[], object], known: Any = ()) -> int:
    """Return the bytes that autograd saves for the way back.

    Args:
        function: What builds the graph. Its result is held until all is
            counted.
        known: Tensors, in any nest of containers, that are not counted,
            such as the network's parameters.
    """
    saved: dict[int, Any] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        saved[storage._cdata] = storage  # held, for its number to stay its own
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = function()
    for storage in _storages(known):
        saved.pop(storage._cdata, None)
    del result
    return sum(storage.nbytes() for storage in saved.values())


def _storages(tensors: Any) -> Iterator[Any]:
    for leaf in tree_leaves(tensors):
        if isinstance(leaf, Tensor):
            yield leaf.untyped_storage()
