"""Original style pictures, each painted by one module of this package."""
