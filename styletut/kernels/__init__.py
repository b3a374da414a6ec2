"""Fast arithmetic on a CPU: convolutions, products of matrices, poolings."""
