"""Side by side with peers: `python -m benchmarks NAME`. One file a benchmark; see README.md."""
