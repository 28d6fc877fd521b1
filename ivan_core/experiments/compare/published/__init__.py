"""What published datasets have beside pairs: several replies to a prompt, strengths, benchmarks."""
