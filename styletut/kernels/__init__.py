"""Arithmetic of the network, fast on a CPU: convolutions, products, poolings.

`vgg` is made of `frozen.FrozenConvolution`; `engines.tape` calls the others,
on a GPU too, and `losses` the products of `matmul`.
"""
