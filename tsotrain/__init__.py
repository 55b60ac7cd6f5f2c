"""The thin trainer: stages of preference optimization on torch alone, and what they need.

Everything but `stages` trains from a Parquet file of pairs to a folder of results, on a machine that has torch and
transformers and neither DuckDB nor polars.
"""
