"""How many requests a second the runner gets through, beside clients that do nothing else."""
