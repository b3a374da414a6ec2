"""Where oneDNN's fused operators may stand in for torch's own kernels.

They are for float32 on a CPU, and for bfloat16 where it has instructions for
that. The environment variable STYLETUT_CONVOLUTION switches them off: "plain"
leaves everything to torch.
"""

import os

import torch
from torch import Tensor

VARIABLE = "STYLETUT_CONVOLUTION"

DEVICES = ("cpu", "meta")
"""Devices that have them, and what stands for these where sizes count."""


def enabled() -> bool:
    """Return whether the fused operators are at hand and not switched off."""
    return fused() and os.environ.get(VARIABLE, "") != "plain"


def fused() -> bool:
    """Return whether torch has oneDNN's fused operators."""
    return torch.backends.mkldnn.is_available() and all(
        hasattr(torch.ops.mkldnn, name)
        for name in ("_convolution_pointwise_", "_linear_pointwise")
    )


def suits(x: Tensor) -> bool:
    """Return whether the fused operators can compute with a tensor."""
    return x.is_cpu and would_suit(x)


def would_suit(x: Tensor) -> bool:
    """Return the same where a tensor on "meta" stands for one on the CPU."""
    return x.dtype == torch.float32 and x.device.type in DEVICES and enabled()


def packs(x: Tensor) -> bool:
    """Return whether kernels like a tensor, in bfloat16, can be packed.

    It may stand on "meta" for one on the CPU.
    """
    known = x.dtype == torch.bfloat16 and x.device.type in DEVICES
    return known and packable()


def packable() -> bool:
    """Return whether kernels in bfloat16 can be packed here."""
    return (
        enabled()
        and hasattr(torch.ops.mkldnn, "_reorder_convolution_weight")
        and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )
