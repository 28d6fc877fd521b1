"""Charts from tables of numbers. Pure: DataFrames in, Altair charts out, no streamlit."""
