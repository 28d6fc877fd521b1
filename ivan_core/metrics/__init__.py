"""Numbers from tables. Pure: no clock, disk, network or randomness; numpy and pandas only."""
