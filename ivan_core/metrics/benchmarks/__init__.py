"""The numbers of published benchmarks, counted exactly as the code of each counts them."""
