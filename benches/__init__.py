"""Times weft beside numpy, torch and jax: ``python -m benches``."""
